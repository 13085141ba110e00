// SPDX-License-Identifier: Apache-2.0
import Glibc

@testable import Machine

/// A directory of a test's own, for sockets: its path is short.
final class TemporaryDirectory {
  let path: String

  init() {
    let template = strdup("/tmp/apus-test-XXXXXX")
    defer { free(template) }
    guard let template, let made = mkdtemp(template) else { preconditionFailure("/tmp is full") }
    path = String(cString: made)
  }

  deinit {
    let directory = RuntimeDirectory(path: path)
    for name in (try? directory.names()) ?? [] { unlink(directory.socketPath(of: name)) }
    rmdir(path)
  }

  var runtime: RuntimeDirectory { RuntimeDirectory(path: path) }
}

extension GuestName: ExpressibleByStringLiteral {
  public init(stringLiteral text: String) {
    guard let name = GuestName(text) else { preconditionFailure("\(text) is no name") }
    self = name
  }
}
