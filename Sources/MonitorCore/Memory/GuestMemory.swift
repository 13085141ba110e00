// SPDX-License-Identifier: Apache-2.0
import Emulator
import X86

/// A VM's memory by guest-physical addresses. Only what a slot covers can be reached.
struct GuestMemory<Unit: VirtualizationUnit, Hardware: Processor>: PhysicalMemory {
  let cpu: VirtualCPU<Unit, Hardware>

  /// One access where the processor has one of that size: nothing that a guest's other CPU writes
  /// there at once is torn.
  @inline(__always)
  func read(_ address: UInt64, size: Int) -> UInt64? {
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
  func entry(at address: UInt64) -> UInt64 {
    guard let page = unsafe cpu.guestPage(at: address, isWrite: false) else { return 0 }
    return unsafe page.load(fromByteOffset: Int(address & 0xff8), as: UInt64.self)
  }

  /// False where no writable memory is.
  func write(_ address: UInt64, _ value: UInt64, size: Int) -> Bool {
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
  private func pointer(to address: UInt64, size: Int, isWrite: Bool) -> UnsafeMutableRawPointer? {
    guard Int(truncatingIfNeeded: address & 0xfff) + size <= 4096 else { return nil }
    return unsafe pointer(to: address, isWrite: isWrite)
  }

  /// Where the bytes from an address on to its page's end can be reached, until another page is asked
  /// for.
  @inline(__always)
  func pointer(to address: UInt64, isWrite: Bool) -> UnsafeMutableRawPointer? {
    guard let page = unsafe cpu.guestPage(at: address, isWrite: isWrite) else { return nil }
    return unsafe page + Int(truncatingIfNeeded: address & 0xfff)
  }
}

extension VirtualCPU {
  var memory: GuestMemory<Unit, Hardware> { GuestMemory(cpu: self) }

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

  @inline(never)
  func translate(_ linear: UInt64, _ access: Access) throws(PageFault) -> UInt64 {
    try PageWalk.translate(linear, mode: pagingMode, access: access, memory: memory)
  }

  /// The bytes of the current instruction, as many as can be reached.
  func fetchInstruction(_ mode: CodeSize) -> InstructionBytes {
    var linear = unit.exitInstructionPointer
    if mode != .bits64 { linear = (linear &+ unit[.cs].base) & 0xffff_ffff }
    guard let code = unsafe code(at: linear, is64Bit: mode == .bits64) else {
      return InstructionBytes(count: 0)
    }
    let room = 4096 - Int(linear & 0xfff)
    guard room < 16 else {
      return unsafe InstructionBytes(
        low: code.loadUnaligned(as: UInt64.self),
        high: code.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }
    var bytes = InstructionBytes(count: 0)
    for index in 0..<min(room, 15) {
      unsafe bytes.append(code.load(fromByteOffset: index, as: UInt8.self))
    }
    var next = linear &+ UInt64(room)
    if mode != .bits64 { next &= 0xffff_ffff }
    guard room < 15, let more = unsafe self.code(at: next, is64Bit: mode == .bits64)
    else { return bytes }
    for index in 0..<15 - room {
      unsafe bytes.append(more.load(fromByteOffset: index, as: UInt8.self))
    }
    return bytes
  }

  /// The code at a linear address, up to the end of its page.
  private func code(at linear: UInt64, is64Bit: Bool) -> UnsafeMutableRawPointer? {
    if is64Bit, let physical = walkToCode(linear) {
      return unsafe memory.pointer(to: physical, isWrite: false)
    }
    let access = Access(isUser: unit.privilegeLevel == 3, isExecute: true)
    guard let physical = try? translate(linear, access) else { return nil }
    return unsafe memory.pointer(to: physical, isWrite: false)
  }

  /// A walk of 4-level paging without a look at rights and reserved bits: the processor has just
  /// fetched this instruction through these tables. Nil where something is not as that says, and
  /// `PageWalk` has to look.
  @inline(__always)
  private func walkToCode(_ linear: UInt64) -> UInt64? {
    guard unit.privilegeLevel == 0, !CR4(rawValue: unit.cr4).contains(.la57) else { return nil }
    let addressBits: UInt64 = 0x000f_ffff_ffff_f000
    let memory = memory
    var table = unit.cr3 & addressBits
    var shift: UInt64 = 39
    while true {
      let entry = memory.entry(at: table | (linear >> shift & 0x1ff) << 3)
      guard entry & 1 != 0 else { return nil }
      table = entry & addressBits
      // A page: of 4 KiB, or a large one.
      if shift == 12 || entry & 1 << 7 != 0 {
        let offset: UInt64 = 1 << shift &- 1
        return shift == 39 ? nil : table & ~offset | linear & offset
      }
      shift &-= 9
    }
  }

  /// Whether the instruction at RIP begins with these bytes, the lowest first: how long an
  /// instruction without prefixes is, where the processor does not say. False also if they cannot be
  /// reached or lie in two pages.
  func beginsWith(_ opcode: UInt32, size: Int) -> Bool {
    let is64Bit = isLongMode
    var linear = unit.exitInstructionPointer
    if !is64Bit { linear = (linear &+ unit[.cs].base) & 0xffff_ffff }
    guard linear & 0xfff <= 4092, let code = unsafe code(at: linear, is64Bit: is64Bit) else {
      return false
    }
    let word = unsafe code.loadUnaligned(as: UInt32.self)
    return (word ^ opcode) << UInt32(32 - size * 8) == 0
  }

  var codeSize: CodeSize {
    if isLongMode { return .bits64 }
    return unit[.cs].attributes.isDefaultBig ? .bits32 : .bits16
  }
}
