// SPDX-License-Identifier: Apache-2.0
import Emulator

/// Instructions of 64-bit code that exited before: through which page-table entries the processor found
/// them, and what they are. An exit of the same instruction then needs no walk through the guest's
/// tables, and an access to a device no decoder. Direct-mapped by RIP.
///
/// A site may be out of date at any time. `VirtualCPU.knownSite` compares all of it with the guest's
/// memory before it is used.
enum InstructionSites {
  /// A page of the vCPU area is full of them.
  static var count: Int { 32 }

  struct Site {
    /// `GuestPages.changes` while the addresses here are right. 0: nothing is known.
    var changes: UInt64 = 0
    var instructionPointer: UInt64 = 0
    var cr3: UInt64 = 0
    /// The page-table entries, the highest level first. That of a large page fills the places that are
    /// left.
    var first = Entry()
    var second = Entry()
    var third = Entry()
    var fourth = Entry()
    /// Where the first byte is mapped.
    var code: UInt = 0
    /// The 16 bytes from there on.
    var low: UInt64 = 0
    var high: UInt64 = 0
    /// What the instruction was found to be; `none` until then.
    var move = DeviceMove.none
  }
  /// A page-table entry of the guest's, and where it is mapped.
  struct Entry {
    var address: UInt = 0
    var value: UInt64 = 0
  }

  @inline(__always)
  static func place(_ instructionPointer: UInt64) -> Int {
    Int(truncatingIfNeeded: instructionPointer ^ instructionPointer >> 4) & (count - 1)
  }
}
