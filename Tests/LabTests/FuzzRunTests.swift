// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Lab

@Suite("A million random operations")
struct FuzzRunTests {
  private func result(_ lines: [String]) -> FuzzRun.Result {
    FuzzRun.result(.init(lines: lines, duration: .seconds(9)), .intel, seed: 40)
  }

  private let summary = "standalone: 1 ok, 0 failed, 0 skipped"

  @Test("All of them made and nobody hurt is a success, with the figures that the machine gave")
  func passes() {
    let result = result([
      "fuzz: 100003 operations, seeds 40 to 99",
      "fuzz: 1000007 operations, seeds 40 to 1049", "ok fuzz-guest-long exits=123456", summary,
    ])
    #expect(result.passed)
    #expect(result.operations == 1_000_007)
    #expect(result.guests == 1010)
    #expect(result.exits == 123_456)
    #expect(result.seed == 40)
    #expect(result.seconds == 9)
  }

  @Test(
    "Too few operations, another seed, a failure or no end at all is none",
    arguments: [
      [
        "fuzz: 999999 operations, seeds 40 to 1049", "ok fuzz-guest-long exits=1",
        "standalone: 1 ok, 0 failed, 0 skipped",
      ],
      [
        "fuzz: 1000000 operations, seeds 1 to 1049", "ok fuzz-guest-long exits=1",
        "standalone: 1 ok, 0 failed, 0 skipped",
      ],
      [
        "seed 77: FAILED fuzz-guest-long: timeout: a command",
        "standalone: 0 ok, 1 failed, 0 skipped",
      ],
      ["fuzz: 1000000 operations, seeds 40 to 1049"],
      [],
    ])
  func fails(lines: [String]) { #expect(!result(lines).passed) }
}
