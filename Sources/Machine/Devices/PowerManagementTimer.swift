// SPDX-License-Identifier: Apache-2.0

/// ACPI's timer (ACPI 6.5, 4.8.3.3): a counter of 32 bits at 3.579545 MHz. A kernel that has it
/// measures its local APIC's timer against it rather than count the interval timer's interrupts,
/// which come late on a busy host.
final class PowerManagementTimer: Device {
  /// Hz: ACPI 6.5, 4.8.3.3.
  static let frequency: UInt64 = 3_579_545

  private let now: @Sendable () -> UInt64

  /// `now` gives nanoseconds of a clock that never goes back.
  init(now: @escaping @Sendable () -> UInt64) { self.now = now }

  func read(_ offset: Int, size: Int) -> UInt64 {
    let product = now().multipliedFullWidth(by: Self.frequency)
    // The quotient would be too wide after 163 years.
    let count = (UInt64(1_000_000_000).dividingFullWidth(product)).quotient
    return (count & 0xffff_ffff) >> (8 * UInt64(offset))
  }

  func write(_ offset: Int, _ value: UInt64, size: Int) {}
}
