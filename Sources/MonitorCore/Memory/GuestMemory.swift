// SPDX-License-Identifier: Apache-2.0
import Emulator
import X86

/// A VM's memory by guest-physical addresses. Only what a slot covers can be reached.
struct GuestMemory<Unit: VirtualizationUnit, Hardware: Processor>: PhysicalMemory {
  let cpu: VirtualCPU<Unit, Hardware>

  /// One access where the processor has one of that size: nothing that a guest's other CPU writes
  /// there at once is torn.
  @inline(__always)
  func read(_ address: GuestPhysical, size: Int) -> UInt64? {
    guard let source = unsafe pointer(to: address, size: size, isWrite: false) else { return nil }
    switch size {
    case 8: return unsafe source.loadUnaligned(as: UInt64.self)
    case 4: return unsafe UInt64(source.loadUnaligned(as: UInt32.self))
    case 2: return unsafe UInt64(source.loadUnaligned(as: UInt16.self))
    case 1: return unsafe UInt64(source.load(as: UInt8.self))
    default:
      var value: UInt64 = 0
      for byte in 0..<size {
        let part = unsafe source.load(fromByteOffset: byte, as: UInt8.self)
        value |= UInt64(part) << UInt64(byte * 8)
      }
      return value
    }
  }

  @inline(__always)
  func entry(at address: GuestPhysical) -> UInt64 {
    guard let page = unsafe cpu.guestPage(at: address, isWrite: false) else { return 0 }
    return unsafe page.load(fromByteOffset: Int(address.offsetInPage & 0xff8), as: UInt64.self)
  }

  /// False where no writable memory is.
  func write(_ address: GuestPhysical, _ value: UInt64, size: Int) -> Bool {
    guard let target = unsafe pointer(to: address, size: size, isWrite: true) else { return false }
    switch size {
    case 8: unsafe target.storeBytes(of: value, as: UInt64.self)
    case 4: unsafe target.storeBytes(of: UInt32(truncatingIfNeeded: value), as: UInt32.self)
    case 2: unsafe target.storeBytes(of: UInt16(truncatingIfNeeded: value), as: UInt16.self)
    default:
      for byte in 0..<size {
        unsafe target.storeBytes(
          of: UInt8(truncatingIfNeeded: value >> UInt64(byte * 8)), toByteOffset: byte,
          as: UInt8.self)
      }
    }
    return true
  }

  /// Valid until another page is asked for. Nil also for what crosses a page.
  @inline(__always)
  private func pointer(to address: GuestPhysical, size: Int, isWrite: Bool)
    -> UnsafeMutableRawPointer?
  {
    guard Int(truncatingIfNeeded: address.offsetInPage) + size <= 4096 else { return nil }
    return unsafe pointer(to: address, isWrite: isWrite)
  }

  /// Where the bytes from an address on to its page's end can be reached, until another page is asked
  /// for.
  @inline(__always)
  func pointer(to address: GuestPhysical, isWrite: Bool) -> UnsafeMutableRawPointer? {
    guard let page = unsafe cpu.guestPage(at: address, isWrite: isWrite) else { return nil }
    return unsafe page + Int(truncatingIfNeeded: address.offsetInPage)
  }
}

extension VirtualCPU {
  var memory: GuestMemory<Unit, Hardware> { GuestMemory(cpu: self) }

  /// Writes the monitor's own structures into the guest's memory; what is not memory is left out.
  func writePhysical(_ address: GuestPhysical, _ value: UInt64, size: Int = 8) {
    let memory = memory
    if address.offsetInPage <= 4096 - UInt64(size) {
      _ = memory.write(address, value, size: size)
    } else {
      for byte in 0..<UInt64(size) {
        _ = memory.write(address + byte, value >> (byte * 8) & 0xff, size: 1)
      }
    }
  }

  var pagingMode: PagingMode {
    PagingMode(cr0: unit.cr0, cr3: unit.cr3, cr4: unit.cr4, efer: unit.efer)
  }

  @inline(never)
  func translate(_ linear: Linear, _ access: Access) throws(PageFault) -> GuestPhysical {
    try PageWalk.translate(linear, mode: pagingMode, access: access, memory: memory)
  }

  var codeSize: CodeSize {
    if isLongMode { return .bits64 }
    return unit.codeAttributes.isDefaultBig ? .bits32 : .bits16
  }
}
