// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Figures

@Suite("Columns of text")
struct TextTests {
  static let decimals: [(Double, Int, String)] = [
    (2.78, 3, "2.780"), (0, 3, "0.000"), (1.0005, 3, "1.001"), (12, 0, "12"), (-0.25, 2, "-0.25"),
    (0.999_9, 3, "1.000"),
  ]

  @Test("have numbers with as many decimals as asked for", arguments: decimals)
  func decimal(value: Double, places: Int, text: String) {
    #expect(Text.decimal(value, places: places) == text)
  }

  @Test("are filled on either side, and never cut")
  func columns() {
    #expect(Text.left("ab", 4) == "ab  ")
    #expect(Text.right("ab", 4) == "  ab")
    #expect(Text.right("abcde", 4) == "abcde")
  }
}
