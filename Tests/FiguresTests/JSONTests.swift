// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Figures

@Suite("JSON")
struct JSONTests {
  private struct Sample: Encodable {
    var someCount = UInt64.max
    var missing: Int?
    var byName = ["io-client": 1, "a_b": 2]
  }

  @Test("is written with its members in alphabetical order")
  func layout() {
    #expect(
      JSON.line(Sample()) == """
        {"by_name":{"a_b":2,"io-client":1},"some_count":18446744073709551615}
        """)
    #expect(JSON.text(Sample()).split(separator: "\n").count == 7)
  }

  @Test("is one line whatever a guest wrote, and is read back as it was meant")
  func roundTrip() {
    let scalars = (0...0x2ff).compactMap(UnicodeScalar.init).map(String.init).joined()
    let line = JSON.line([scalars: scalars])
    #expect(!line.utf8.contains(UInt8(ascii: "\n")))
    #expect(JSON.decode([String: String].self, from: line.utf8) == [scalars: scalars])
  }

  @Test(
    "that is malformed, or of another type, is none",
    arguments: ["", "{", "[1,]", "{a:1}", "{\"a\":\"b\"}", "{\"a\":1} 1", "null", "\"\\ud834\""])
  func malformed(text: String) {
    #expect(JSON.decode([String: Int].self, from: text.utf8) == nil)
  }

  private struct Answer: Decodable { var ok: Bool }

  @Test("that would use up the stack is none")
  func deep() {
    let text = String(repeating: "[", count: 100_000)
    #expect(JSON.decode(Answer.self, from: text.utf8) == nil)
    #expect(JSON.decode(Answer.self, from: "{\"ok\":true,\"x\":\(text)".utf8) == nil)
  }
}
