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
