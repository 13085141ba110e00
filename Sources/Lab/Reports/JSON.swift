// SPDX-License-Identifier: Apache-2.0
import Figures

extension JSON {
  public static func write(_ value: some Encodable, to path: String) throws {
    try Files.write(text(value) + "\n", to: path)
  }

  /// To the millisecond.
  static func seconds(_ duration: Duration) -> Double {
    (duration / .milliseconds(1)).rounded() / 1000
  }
}
