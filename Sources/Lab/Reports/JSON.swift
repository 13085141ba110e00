// SPDX-License-Identifier: Apache-2.0
import Foundation

/// JSON as the lab writes it: sorted keys, so that two runs can be compared line by line.
public enum JSON {
  public static func text(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
  }

  public static func write(_ value: some Encodable, to path: String) throws {
    try Files.write(try text(value), to: path)
  }

  static func decode<Value: Decodable>(_: Value.Type, from text: String) throws -> Value {
    try JSONDecoder().decode(Value.self, from: Data(text.utf8))
  }

  /// To the millisecond.
  static func seconds(_ duration: Duration) -> Double {
    (duration / .milliseconds(1)).rounded() / 1000
  }
}
