// SPDX-License-Identifier: Apache-2.0
import Glibc
import LinuxCalls
import SystemPackage

/// An eventfd: a signal between threads, or that the kernel passes between a guest and whoever emulates its
/// devices.
final class EventDescriptor: Sendable {
  let descriptor: FileDescriptor

  init() throws(Errno) {
    let number = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
    guard number >= 0 else { throw Errno(rawValue: errno) }
    descriptor = FileDescriptor(rawValue: number)
  }

  /// One that this program cannot go on without.
  static func required() -> EventDescriptor {
    do {
      return try EventDescriptor()
    } catch {
      preconditionFailure("no descriptor is left: \(error)")
    }
  }

  deinit { try? descriptor.close() }

  /// From any thread.
  func signal() { eventfd_write(descriptor.rawValue, 1) }

  /// Waits for a signal, or for one of the operating system's to the thread.
  func wait() {
    var source = pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
    _ = poll(&source, 1, -1)
  }

  /// Forgets the signals that came. Whether some did.
  @discardableResult
  func clear() -> Bool {
    var count: eventfd_t = 0
    return eventfd_read(descriptor.rawValue, &count) == 0
  }

  /// Whether a signal waits.
  var isSignalled: Bool {
    var source = pollfd(fd: descriptor.rawValue, events: Int16(POLLIN), revents: 0)
    return poll(&source, 1, 0) == 1
  }
}
