// SPDX-License-Identifier: Apache-2.0
import Foundation

@testable import Machine

/// A directory that stands for a machine's root while a test runs.
final class HostDirectory {
  let path: String

  init(_ files: [String: String]) throws {
    path = NSTemporaryDirectory() + "apus-host-" + UUID().uuidString
    for (name, text) in files {
      let file = path + name
      try FileManager.default.createDirectory(
        atPath: String(file[..<(file.lastIndex(of: "/") ?? file.endIndex)]),
        withIntermediateDirectories: true)
      try Data(text.utf8).write(to: URL(fileURLWithPath: file))
    }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  var files: HostFiles { HostFiles(root: path) }
}
