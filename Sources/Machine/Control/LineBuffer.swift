// SPDX-License-Identifier: Apache-2.0

/// Makes lines of bytes that come in pieces.
struct LineBuffer {
  /// Bytes of the longest line: of a longer one, the limit and one more are kept, so that
  /// whoever reads it sees that it is too long.
  let limit: Int
  private var line: [UInt8] = []

  init(limit: Int) { self.limit = limit }

  /// The next line without its newline; it is taken from `bytes`, which are empty if nil comes.
  mutating func next(_ bytes: inout ArraySlice<UInt8>) -> [UInt8]? {
    while let byte = bytes.popFirst() {
      if byte == UInt8(ascii: "\n") {
        defer { line.removeAll(keepingCapacity: true) }
        return line
      }
      if line.count <= limit { line.append(byte) }
    }
    return nil
  }

  /// Whether what came of the line is too much already.
  var isOverfull: Bool { line.count > limit }
}
