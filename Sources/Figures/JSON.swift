// SPDX-License-Identifier: Apache-2.0
// Not all of Foundation: its other half brings ICU's tables along, which are larger than `apus`.
import FoundationEssentials

/// How the program and its lab write and read JSON.
public enum JSON {
  /// On several lines, for files and for people. Members are in alphabetical order, so that two
  /// runs can be compared line by line.
  public static func text(_ value: some Encodable) -> String { encode(value, [.prettyPrinted]) }

  /// On one line.
  public static func line(_ value: some Encodable) -> String { encode(value, []) }

  /// In a format of others: names of members are as they are in Swift.
  public static func foreignText(_ value: some Encodable) -> String {
    encode(value, [], .useDefaultKeys)
  }

  private static func encode(
    _ value: some Encodable, _ formatting: JSONEncoder.OutputFormatting,
    _ names: JSONEncoder.KeyEncodingStrategy = .convertToSnakeCase
  ) -> String {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = names
    encoder.outputFormatting = formatting.union([.sortedKeys, .withoutEscapingSlashes])
    do {
      return String(decoding: try encoder.encode(value), as: UTF8.self)
    } catch {
      preconditionFailure("a report has no number that JSON lacks: \(error)")
    }
  }

  /// Nil for a text that is not JSON, or not of this type.
  public static func decode<Value: Decodable>(_: Value.Type, from text: some Sequence<UInt8>)
    -> Value?
  {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    return try? decoder.decode(Value.self, from: Data(text))
  }
}

extension Double {
  /// To three decimals, which is as much as a reader of a report can use.
  public var roundedToThousandths: Double { (self * 1000).rounded() / 1000 }
}
