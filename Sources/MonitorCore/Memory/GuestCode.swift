// SPDX-License-Identifier: Apache-2.0
import Emulator
import X86

/// The instruction at RIP, which has just exited.
extension VirtualCPU {
  /// Its bytes, as many as can be reached.
  func fetchInstruction(_ mode: CodeSize) -> InstructionBytes {
    if mode == .bits64, let site = unsafe site {
      return unsafe InstructionBytes(low: site.pointee.low, high: site.pointee.high)
    }
    var linear = Linear(unit.exitInstructionPointer)
    if mode != .bits64 { linear = Linear((linear.rawValue &+ unit[.cs].base) & 0xffff_ffff) }
    guard let code = unsafe code(at: linear) else { return InstructionBytes(count: 0) }
    let room = 4096 - Int(linear.offsetInPage)
    guard room < 16 else {
      return unsafe InstructionBytes(
        low: code.loadUnaligned(as: UInt64.self),
        high: code.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }
    var bytes = InstructionBytes(count: 0)
    for index in 0..<min(room, 15) {
      unsafe bytes.append(code.load(fromByteOffset: index, as: UInt8.self))
    }
    var next = linear + UInt64(room)
    if mode != .bits64 { next = Linear(next.rawValue & 0xffff_ffff) }
    guard room < 15, let more = unsafe self.code(at: next) else { return bytes }
    for index in 0..<15 - room {
      unsafe bytes.append(more.load(fromByteOffset: index, as: UInt8.self))
    }
    return bytes
  }

  /// The code at a linear address, up to the end of its page.
  private func code(at linear: Linear) -> UnsafeMutableRawPointer? {
    let access = Access(isUser: unit.privilegeLevel == 3, isExecute: true)
    guard let physical = try? translate(linear, access) else { return nil }
    return unsafe memory.pointer(to: physical, isWrite: false)
  }

  /// Where an instruction of 64-bit code is, if it and 16 bytes with it lie in a page.
  private var site: UnsafeMutablePointer<InstructionSites.Site>? {
    @inline(never) get {
      if let known = unsafe knownSite { return unsafe known }
      return unsafe findSite()
    }
  }

  /// What is known of it, if the guest runs 64-bit code, and its tables and the bytes are still the
  /// same.
  @inline(__always)
  var knownSite: UnsafeMutablePointer<InstructionSites.Site>? {
    let pointer = unit.exitInstructionPointer
    let site = unsafe pages.sites + InstructionSites.place(pointer)
    guard unsafe site.pointee.instructionPointer == pointer,
      unsafe site.pointee.changes == state.guestPages.changes,
      unsafe site.pointee.cr3 == unit.cr3, isLongMode
    else { return nil }
    var difference = unsafe site.pointee.first.difference | site.pointee.second.difference
    unsafe difference |= site.pointee.third.difference | site.pointee.fourth.difference
    unsafe difference |= site.pointee.codeDifference
    return unsafe difference == 0 ? site : nil
  }

  /// Finds it anew. Nil: it does not lie in a page with 16 bytes, or it is not as expected.
  @inline(never)
  func findSite() -> UnsafeMutablePointer<InstructionSites.Site>? {
    guard unit.exitInstructionPointer & 0xfff <= 4080, unit.privilegeLevel == 0,
      !CR4(rawValue: unit.cr4).contains(.la57)
    else { return nil }
    let site = unsafe pages.sites + InstructionSites.place(unit.exitInstructionPointer)
    // A page that is mapped during a walk may take the place of one before it. Once more, and all are
    // where they were.
    for _ in 0..<2 {
      unsafe site.pointee.changes = 0
      let changes = state.guestPages.changes
      guard unsafe walk(to: site) else { return nil }
      if changes == state.guestPages.changes {
        unsafe site.pointee.changes = changes
        break
      }
    }
    return unsafe site
  }

  /// A walk of 4-level paging without a look at rights and reserved bits: the processor has just
  /// fetched this instruction through these tables. False where something is not as that says, and
  /// `PageWalk` has to look.
  @inline(__always)
  private func walk(to site: UnsafeMutablePointer<InstructionSites.Site>) -> Bool {
    let linear = unit.exitInstructionPointer
    let cr3 = unit.cr3
    let addressBits: UInt64 = 0x000f_ffff_ffff_f000
    let entries = unsafe withUnsafeMutablePointer(to: &site.pointee.first) { unsafe $0 }
    var table = cr3 & addressBits
    var shift: UInt64 = 39
    var level = 0
    while true {
      let place = Int(truncatingIfNeeded: linear >> shift & 0x1ff) * 8
      guard let page = unsafe guestPage(at: GuestPhysical(table), isWrite: false) else {
        return false
      }
      let entry = unsafe page.load(fromByteOffset: place, as: UInt64.self)
      guard entry & 1 != 0 else { return false }
      table = entry & addressBits
      // A page: of 4 KiB, or a large one.
      let isLast = shift == 12 || entry & 1 << 7 != 0
      let end = isLast ? 4 : level + 1
      while level < end {
        unsafe entries[level] = InstructionSites.Entry(
          address: UInt(bitPattern: page + place), value: entry)
        level &+= 1
      }
      if isLast { break }
      shift &-= 9
    }
    guard shift != 39 else { return false }
    let offset: UInt64 = 1 << shift &- 1
    let physical = GuestPhysical(table & ~offset | linear & offset)
    guard let code = unsafe memory.pointer(to: physical, isWrite: false) else { return false }
    unsafe site.pointee.instructionPointer = linear
    unsafe site.pointee.cr3 = cr3
    unsafe site.pointee.code = UInt(bitPattern: code)
    unsafe site.pointee.low = code.loadUnaligned(as: UInt64.self)
    unsafe site.pointee.high = code.loadUnaligned(fromByteOffset: 8, as: UInt64.self)
    unsafe site.pointee.move = .none
    return true
  }

  func forgetSites() {
    for place in 0..<InstructionSites.count { unsafe pages.sites[place].changes = 0 }
  }
}

extension InstructionSites.Entry {
  /// Not 0: the guest has changed it.
  @inline(__always)
  fileprivate var difference: UInt64 {
    let entry = unsafe UnsafePointer<UInt64>(bitPattern: address)
    return unsafe entry.unsafelyUnwrapped.pointee ^ value
  }
}

extension InstructionSites.Site {
  mutating func decodeMove() {
    move = DeviceMove(InstructionBytes(low: low, high: high), at: instructionPointer)
  }

  /// Not 0: the guest has changed the bytes.
  @inline(__always)
  fileprivate var codeDifference: UInt64 {
    let code = unsafe UnsafeRawPointer(bitPattern: code).unsafelyUnwrapped
    let first = unsafe code.loadUnaligned(as: UInt64.self) ^ low
    return unsafe first | (code.loadUnaligned(fromByteOffset: 8, as: UInt64.self) ^ high)
  }
}
