// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage

/// Where the control sockets of one user's guests are. Only that user may enter: a socket there
/// is as good as the guest.
public struct RuntimeDirectory: Equatable, Sendable {
  /// The environment variable that names another one.
  public static let variable = "APUS_RUNTIME_DIR"

  public let path: String

  public init(path: String) { self.path = path }

  /// Of this process's user, unless the environment says otherwise.
  public static var standard: RuntimeDirectory {
    RuntimeDirectory(user: geteuid()) { getenv($0).map { String(cString: $0) } }
  }

  /// `environment` gives a variable's value.
  init(user: uid_t, environment: (String) -> String?) {
    func directory(_ name: String) -> String? {
      environment(name).flatMap { $0.hasPrefix("/") ? $0 : nil }
    }
    path =
      if let named = directory(Self.variable) {
        named
      } else if user == 0 {
        "/run/apus"
      } else if let own = directory("XDG_RUNTIME_DIR") {
        own + "/apus"
      } else {
        "/tmp/apus-\(user)"
      }
  }

  private static let suffix = ".sock"

  func socketPath(of name: GuestName) -> String { "\(path)/\(name)\(Self.suffix)" }

  /// Makes the directory if there is none, and makes sure of its owner.
  func create() throws(ControlError) {
    var parent = ""
    for part in path.split(separator: "/").dropLast() {
      parent += "/" + part
      mkdir(parent, 0o755)
    }
    if mkdir(path, 0o700) != 0, errno != EEXIST {
      throw .directory(path: path, Errno(rawValue: errno))
    }
  }

  /// Nobody comes or goes while `body` runs. Nil if there is no such directory.
  func locked<Result>(
    _ body: () throws(ControlError) -> Result
  ) throws(ControlError) -> Result? {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else {
      switch Errno(rawValue: errno) {
      case .noSuchFileOrDirectory: return nil
      case .permissionDenied: throw .notPermitted(path: path)
      case let errno: throw .directory(path: path, errno)
      }
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw .directory(path: path, Errno(rawValue: errno))
    }
    guard status.st_uid == geteuid(), status.st_mode & 0o077 == 0 else {
      throw .directoryNotPrivate(path: path)
    }
    while flock(descriptor, LOCK_EX) != 0 {
      guard errno == EINTR else { throw .directory(path: path, Errno(rawValue: errno)) }
    }
    return try body()
  }

  /// The names of all sockets, also of those whose process has gone.
  func names() throws(ControlError) -> [GuestName] {
    guard let stream = opendir(path) else {
      throw .directory(path: path, Errno(rawValue: errno))
    }
    defer { closedir(stream) }
    var names: [GuestName] = []
    while let entry = readdir(stream) {
      let file = withUnsafeBytes(of: entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      guard file.hasSuffix(Self.suffix) else { continue }
      if let name = GuestName(String(file.dropLast(Self.suffix.count))) { names.append(name) }
    }
    return names.sorted()
  }
}
