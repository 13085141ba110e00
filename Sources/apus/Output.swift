// SPDX-License-Identifier: Apache-2.0
import Glibc

/// Text for the user. Standard output is the guest's console, so messages go to standard error.
enum Output {
  static func error(_ text: String) { write(text + "\n", to: STDERR_FILENO) }

  static func standard(_ text: String) { write(text + "\n", to: STDOUT_FILENO) }

  private static func write(_ text: String, to descriptor: Int32) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      guard count > 0 || errno == EINTR else { return }
      rest = rest.dropFirst(max(count, 0))
    }
  }
}
