// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Machine

@Suite("The reader of JSON")
struct JSONParserTests {
  @Test("reads back what is written, in one line and in many")
  func roundTrip() {
    let value = JSON.object([
      .init("a", .array([.integer(-3), .decimal(1.5), .bool(true), .null])),
      .init("\"\\\n\u{1}é𝄞", .object([])), .init("", .array([])),
    ])
    #expect(JSONParser.parse(value.text.utf8) == value)
    #expect(JSONParser.parse(value.line.utf8) == value)
    #expect(!value.line.contains("\n"))
  }

  @Test("reads every escape, and pairs of surrogates")
  func escapes() {
    #expect(
      JSONParser.parse(#""\"\\\/\b\f\n\r\t\u00e9\ud834\udd1e""#.utf8)
        == .string("\"\\/\u{8}\u{c}\n\r\té𝄞"))
  }

  @Test(
    "reads numbers",
    arguments: [
      ("0", JSON.integer(0)), ("-1", .integer(-1)), ("2e2", .decimal(200)), ("0.5", .decimal(0.5)),
    ])
  func numbers(text: String, value: JSON) { #expect(JSONParser.parse(text.utf8) == value) }

  @Test(
    "refuses what is only nearly JSON",
    arguments: [
      "", "{", "[1,]", "{\"a\":1,}", "{a:1}", "[1 2]", "01", "+1", "1.", ".5", "1.e2", "--1", "1e",
      "9223372036854775808", "tru", "nul", "\"", "\"\n\"", "\"\\x\"", "\"\\ud834\"", "\"\\u+123\"",
      "\"\\udd1e\"", "1 1", "[1]]", "NaN", "'a'",
    ])
  func malformed(text: String) { #expect(JSONParser.parse(text.utf8) == nil) }

  @Test("refuses text that is no UTF-8")
  func notUnicode() { #expect(JSONParser.parse([0x22, 0xff, 0x22]) == nil) }

  @Test("refuses nesting that would use up the stack")
  func deep() {
    let text = String(repeating: "[", count: 100_000)
    #expect(JSONParser.parse(text.utf8) == nil)
  }
}
