// SPDX-License-Identifier: Apache-2.0

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
