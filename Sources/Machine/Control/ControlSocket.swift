// SPDX-License-Identifier: Apache-2.0
import Glibc
import LinuxCalls
import SystemPackage

/// A guest's name, claimed: the socket on which its process listens. The file goes with the
/// owner; after a `kill -9` it stays, and whoever meets it next removes it.
final class ControlSocket: Sendable {
  let name: GuestName
  let descriptor: Int32
  private let directory: RuntimeDirectory
  private let path: String
  private let identity: FileIdentity?

  /// Claims the name in the directory, which is made if it is missing.
  init(_ name: GuestName, in directory: RuntimeDirectory) throws(ControlError) {
    let path = directory.socketPath(of: name)
    try directory.create()
    let claimed = try directory.locked { () throws(ControlError) in
      guard Self.removeIfStale(path) else { throw .nameTaken(name) }
      let descriptor = listenLocally(at: path)
      guard descriptor >= 0 else {
        let error = Errno(rawValue: errno)
        throw error == .fileNameTooLong ? .pathTooLong(path: path) : .socket(path: path, error)
      }
      return (descriptor, FileIdentity(path))
    }
    guard let claimed else { throw .directory(path: directory.path, .noSuchFileOrDirectory) }
    (descriptor, identity) = claimed
    self.name = name
    self.directory = directory
    self.path = path
  }

  deinit {
    // While nobody else claims the name; and only what is still this socket's file.
    _ = try? directory.locked { () throws(ControlError) in
      if identity != nil, FileIdentity(path) == identity { unlink(path) }
    }
    close(descriptor)
  }

  /// Removes the file that a killed process has left; false if someone listens there. To be
  /// called with the directory locked: a socket is bound before it listens.
  static func removeIfStale(_ path: String) -> Bool {
    let descriptor = connectLocally(to: path)
    if descriptor >= 0 {
      close(descriptor)
      return false
    }
    switch errno {
    case ENOENT: return true
    case ECONNREFUSED: return unlink(path) == 0 || errno == ENOENT
    case ENAMETOOLONG: return true
    default: return false
    }
  }

  /// The guests whose processes live. Files of others are removed.
  static func living(in directory: RuntimeDirectory) throws(ControlError) -> [GuestName] {
    try directory.locked { () throws(ControlError) in
      try directory.names().filter { !removeIfStale(directory.socketPath(of: $0)) }
    } ?? []
  }
}

/// What tells two files of one name apart.
private struct FileIdentity: Equatable {
  var device: dev_t
  var number: ino_t

  init?(_ path: String) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return nil }
    device = status.st_dev
    number = status.st_ino
  }
}
