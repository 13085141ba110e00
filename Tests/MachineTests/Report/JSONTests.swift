// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import Machine

@Suite("JSON")
struct JSONTests {
  @Test("is written with its members in order, two spaces a level")
  func layout() {
    let json = JSON.object([
      .init("b", .array([.integer(1), .bool(true), .null])), .init("a", .object([])),
      .init("c", .array([])), .init("d", .decimal(2.7804)),
    ])
    #expect(
      json.text == """
        {
          "b": [
            1,
            true,
            null
          ],
          "a": {},
          "c": [],
          "d": 2.78
        }
        """)
  }

  @Test("escapes quotes, backslashes and control characters, and nothing else")
  func strings() {
    #expect(JSON.string("a\"\\\n\r\t\u{1}\u{1f}é→").text == #""a\"\\\n\r\t\u0001\u001fé→""#)
  }

  @Test("has no number for what is none, and cuts counters at 63 bits")
  func numbers() {
    #expect(JSON.decimal(.nan).text == "null")
    #expect(JSON.decimal(.infinity).text == "null")
    #expect(JSON.decimal(0).text == "0.0")
    #expect(JSON.count(UInt64.max).text == "9223372036854775807")
    #expect(JSON.optional(nil as Int?) { .count($0) }.text == "null")
  }

  @Test("is read by another reader as it was meant, whatever a guest wrote")
  func roundTrip() throws {
    let scalars = (0...0x2ff).compactMap(UnicodeScalar.init).map(String.init).joined()
    let text = JSON.object([.init(scalars, .array([.string(scalars)]))]).text
    let read = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: [String]]
    #expect(read == [scalars: [scalars]])
  }
}
