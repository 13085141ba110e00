// SPDX-License-Identifier: Apache-2.0
import Figures
import Glibc
import LinuxCalls
import SystemPackage

/// A connection to a running guest's process.
public final class ControlConnection {
  public let name: GuestName
  let descriptor: Int32
  private var lines = LineBuffer(limit: 1 << 22)
  private var rest: ArraySlice<UInt8> = []

  /// An answer takes milliseconds unless the host is very busy.
  static let patience = Duration.seconds(5)

  init(_ name: GuestName, in directory: RuntimeDirectory) throws(ControlError) {
    let path = directory.socketPath(of: name)
    descriptor = connectLocally(to: path)
    guard descriptor >= 0 else {
      switch Errno(rawValue: errno) {
      case .noSuchFileOrDirectory, .connectionRefused: throw .justEnded(name)
      case .permissionDenied: throw .notPermitted(path: directory.path)
      case .resourceTemporarilyUnavailable: throw .noAnswer(name)
      case let errno: throw .socket(path: path, errno)
      }
    }
    self.name = name
  }

  deinit { close(descriptor) }

  func send(_ request: ControlRequest) throws(ControlError) {
    let line = Array(request.line.utf8)
    // A line fits into any socket's buffer.
    guard Glibc.send(descriptor, line, line.count, Int32(MSG_NOSIGNAL)) == line.count
    else { throw .justEnded(name) }
  }

  /// The next line, which must be there before the deadline; nil without one.
  func line(before deadline: ContinuousClock.Instant) throws(ControlError) -> ControlAnswer? {
    while true {
      if let line = lines.next(&rest) {
        guard let answer = JSON.decode(ControlAnswer.self, from: line) else {
          throw .malformedAnswer(name)
        }
        return answer
      }
      let wait = (deadline - ContinuousClock.now).nanoseconds / 1_000_000
      guard wait >= 0 else { return nil }
      var source = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&source, 1, Int32(clamping: wait + 1)) > 0 else { continue }
      var buffer = [UInt8](repeating: 0, count: 1 << 14)
      let count = read(descriptor, &buffer, buffer.count)
      if count == 0 { throw .justEnded(name) }
      if count > 0 { rest = buffer[..<count] }
      if count < 0, errno != EAGAIN, errno != EINTR { throw .justEnded(name) }
    }
  }

  /// What was said after the line that was read last.
  func takeRest() -> ArraySlice<UInt8> {
    defer { rest = [] }
    return rest
  }

  /// Waits for the answer to a request that was sent.
  func answer(before deadline: ContinuousClock.Instant) throws(ControlError) -> ControlAnswer {
    guard let answer = try line(before: deadline) else { throw .noAnswer(name) }
    guard answer.ok else { throw .refused(name, answer.error ?? "refused") }
    return answer
  }

  func answer(to request: ControlRequest) throws(ControlError) -> ControlAnswer {
    try send(request)
    return try answer(before: .now + Self.patience)
  }

  /// Says who keeps the timers of its local APICs from now on.
  public func setTimer(_ timer: TimerChoice) throws(ControlError) {
    _ = try answer(to: .timer(timer))
  }

  /// Sends a non-maskable interrupt.
  public func sendNMI(virtualCPU: Int) throws(ControlError) {
    _ = try answer(to: .nmi(virtualCPU: virtualCPU))
  }
}
