// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage

/// Text for the user: results on standard output, all else on standard error.
enum Output {
  static func error(_ text: String) { write(text + "\n", to: .standardError) }

  /// On the terminal's line, instead of what is there.
  static func live(_ text: String) { write("\r\u{1b}[2K" + text, to: .standardError) }

  static func standard(_ text: String) { write(text + "\n", to: .standardOutput) }

  static func standard(bytes: [UInt8]) { _ = try? FileDescriptor.standardOutput.writeAll(bytes) }

  /// A reader that has gone misses the rest.
  private static func write(_ text: String, to descriptor: FileDescriptor) {
    _ = try? descriptor.writeAll(text.utf8)
  }
}
