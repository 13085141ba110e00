// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Machine

@Suite("ACPI's timer")
struct PowerManagementTimerTests {
  static let counts: [(nanoseconds: UInt64, count: UInt64)] = [
    (0, 0), (1_000_000_000, 3_579_545), (280, 1), (279, 0),
    // It wraps at 2^32, after 1,199.86 s.
    (1_199_864_032_155, 0), (1_200_000_000_000, 486_704),
    // A century after the boot.
    (3_153_600_000_000_000_000, 11_288_453_112_000_000 & 0xffff_ffff),
  ]

  @Test("counts 3,579,545 times a second, in 32 bits", arguments: counts)
  func count(nanoseconds: UInt64, count: UInt64) {
    let timer = PowerManagementTimer { nanoseconds }
    #expect(timer.read(0, size: 4) == count)
  }

  @Test("can be read in parts and cannot be written")
  func parts() {
    let timer = PowerManagementTimer { 1_000_000_000 }
    timer.write(0, 0, size: 4)
    #expect(timer.read(2, size: 2) == 0x36)
    #expect(timer.read(1, size: 1) & 0xff == 0x9e)
  }
}
