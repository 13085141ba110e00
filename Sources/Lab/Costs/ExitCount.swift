// SPDX-License-Identifier: Apache-2.0

/// What came between one exit of a guest and its next instruction.
struct ExitCount: Sendable, Hashable {
  /// Of the monitor. With VT-x each repetition of a REP counts, with SVM all are one.
  var instructions = 0
  /// Only where the instructions themselves were seen: with VT-x.
  var vmreads = 0
  var vmwrites = 0

  /// Exits by the address of the guest's instruction that exited, in their order.
  typealias BySite = [UInt64: [ExitCount]]
}

/// Where code lies when it runs.
enum CodePlace {
  /// Of apus.h: the monitor's image.
  static let monitor = UInt64(0x10_0000)..<0x20_0000
  /// Of guests.h: what the small guests are linked for, and what QEMU's and Bochs' guests have
  /// below the monitor's addresses.
  static let guest = UInt64(0x1_0000)..<0x10_0000
  /// The emulated CPU that the stand-in lends first.
  static let cpu = 1
}
