// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// Reads the lines of a file that another process is writing.
struct FileTail: ~Copyable {
  private let descriptor: FileDescriptor
  private var lines = LineSplitter()

  /// Makes the file, empty, so that there is something to read before the writer starts.
  init(creating path: String) throws {
    descriptor = try FileDescriptor.open(
      FilePath(path), .readOnly, options: [.create, .truncate],
      permissions: [.ownerReadWrite, .groupRead, .otherRead])
  }

  /// The lines completed since the last call.
  mutating func newLines() throws -> [String] {
    var found: [String] = []
    while true {
      let bytes = try [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
        count = try descriptor.read(into: UnsafeMutableRawBufferPointer(buffer))
      }
      if bytes.isEmpty { return found }
      found += lines.append(bytes)
    }
  }

  deinit { try? descriptor.close() }
}

/// Cuts a stream of bytes into lines, without the carriage returns of a serial console.
struct LineSplitter {
  private var rest: [UInt8] = []

  mutating func append(_ bytes: [UInt8]) -> [String] {
    rest += bytes
    var lines: [String] = []
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      let line = rest[..<end].filter { $0 != UInt8(ascii: "\r") }
      lines.append(String(decoding: line, as: UTF8.self))
      rest.removeSubrange(...end)
    }
    return lines
  }
}
