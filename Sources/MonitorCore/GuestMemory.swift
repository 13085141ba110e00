// SPDX-License-Identifier: Apache-2.0
import X86

/// A VM's memory through the window, page by page. Only what a slot covers can be reached.
struct GuestMemory<Hardware: Processor, Format: NestedTableFormat>: PhysicalMemory {
  let tables: NestedTables<Hardware, Format>

  func read(_ address: UInt64, size: Int) -> UInt64? {
    guard let source = unsafe pointer(to: address, size: size, writes: false) else { return nil }
    var value: UInt64 = 0
    for byte in 0..<size {
      value |= unsafe UInt64(source.load(fromByteOffset: byte, as: UInt8.self)) << UInt64(byte * 8)
    }
    return value
  }

  /// False where no writable memory is.
  func write(_ address: UInt64, _ value: UInt64, size: Int) -> Bool {
    guard let target = unsafe pointer(to: address, size: size, writes: true) else { return false }
    switch size {
    case 8 where address & 7 == 0: unsafe target.storeBytes(of: value, as: UInt64.self)
    case 4 where address & 3 == 0:
      unsafe target.storeBytes(of: UInt32(truncatingIfNeeded: value), as: UInt32.self)
    default:
      for byte in 0..<size {
        unsafe target.storeBytes(
          of: UInt8(truncatingIfNeeded: value >> UInt64(byte * 8)), toByteOffset: byte,
          as: UInt8.self)
      }
    }
    return true
  }

  /// Valid until the next page is mapped. Nil also for what crosses a page.
  private func pointer(to address: UInt64, size: Int, writes: Bool) -> UnsafeMutableRawPointer? {
    let offset = Int(truncatingIfNeeded: address & 0xfff)
    guard size <= 8, offset + size <= 4096, let found = tables.translate(address),
      found.isWritable || !writes
    else { return nil }
    return unsafe tables.processor.map(found.physical & ~0xfff, at: .guestMemory) + offset
  }
}

extension VirtualCPU {
  var memory: GuestMemory<Hardware, Unit.Tables> { GuestMemory(tables: tables) }

  /// Writes the monitor's own structures into the guest's memory; what is not memory is left out.
  func writePhysical(_ address: UInt64, _ value: UInt64, size: Int = 8) {
    let memory = memory
    if address & 0xfff <= 4096 - UInt64(size) {
      _ = memory.write(address, value, size: size)
    } else {
      for byte in 0..<UInt64(size) {
        _ = memory.write(address &+ byte, value >> (byte * 8) & 0xff, size: 1)
      }
    }
  }

  var pagingMode: PagingMode {
    PagingMode(cr0: unit.cr0, cr3: unit.cr3, cr4: unit.cr4, efer: unit.efer)
  }

  func translate(_ linear: UInt64, _ access: Access) throws(PageFault) -> UInt64 {
    try PageWalk.translate(linear, mode: pagingMode, access: access, memory: memory)
  }

  /// The bytes of the current instruction, as many as can be reached.
  func fetchInstruction() -> (bytes: InlineArray<16, UInt8>, count: Int) {
    var bytes: InlineArray<16, UInt8> = InlineArray(repeating: 0)
    let base = isLongMode ? 0 : unit[.cs].base
    let access = Access(isUser: unit.privilegeLevel == 3, isExecute: true)
    var count = 0
    var page: UInt64? = nil
    while count < 15 {
      var linear = base &+ unit.instructionPointer &+ UInt64(count)
      if !isLongMode { linear &= 0xffff_ffff }
      if page == nil || linear & 0xfff == 0 {
        page = try? translate(linear & ~0xfff, access)
      }
      guard let page, let byte = memory.read(page | linear & 0xfff, size: 1) else { break }
      bytes[count] = UInt8(truncatingIfNeeded: byte)
      count += 1
    }
    return (bytes, count)
  }

  var codeSize: CodeSize {
    if isLongMode { return .bits64 }
    return unit[.cs].attributes.isDefaultBig ? .bits32 : .bits16
  }
}
