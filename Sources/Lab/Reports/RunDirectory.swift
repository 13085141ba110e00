// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The directory of a run's files, held as long as the run lasts: two runs must not write into
/// one another's.
struct RunDirectory: ~Copyable {
  let path: String
  private let lock: Int32

  /// Makes `path` empty and holds it; fails if another process holds it.
  init(_ path: String) throws {
    guard let lock = try Self.hold(path) else {
      throw LabError.machine("another run is using \(path): wait for its end")
    }
    self.init(path: path, lock: lock)
  }

  /// The first of `path`, `path-2`, `path-3` and so on that no other process holds.
  init(firstFreeOf path: String) throws {
    var name = path
    var number = 1
    while true {
      if let lock = try Self.hold(name) {
        self.init(path: name, lock: lock)
        return
      }
      number += 1
      name = "\(path)-\(number)"
    }
  }

  private init(path: String, lock: Int32) {
    self.path = path
    self.lock = lock
  }

  deinit { close(lock) }

  /// The lock is the open file's, and goes with the process however it ends. Nil if another
  /// process has it.
  private static func hold(_ path: String) throws -> Int32? {
    try Files.makeDirectory(path)
    let descriptor = open(path + "/" + lockName, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw LabError.machine("cannot write in \(path)") }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      return nil
    }
    for name in try Files.names(in: path) where name != lockName {
      try Files.remove("\(path)/\(name)")
    }
    return descriptor
  }

  private static let lockName = ".lock"
}
