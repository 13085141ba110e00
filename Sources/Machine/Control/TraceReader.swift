// SPDX-License-Identifier: Apache-2.0
import Glibc
import LinuxCalls

extension ControlConnection {
  /// Has the guest's vCPUs traced until `deadline`, the guest's end, or until `take` says false. The trace ends
  /// with the connection.
  public func trace(
    until deadline: ContinuousClock.Instant, _ take: (TraceBatch) -> Bool
  ) throws(ControlError) {
    _ = try answer(to: .trace)
    var bytes = Array(takeRest())[...]
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      while let batch = TraceBatch(takingFrom: &bytes) {
        if !take(batch) { return }
      }
      let wait = (deadline - ContinuousClock.now).nanoseconds / 1_000_000
      guard wait >= 0 else { return }
      var source = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard poll(&source, 1, Int32(clamping: wait + 1)) > 0 else { continue }
      let count = read(descriptor, &buffer, buffer.count)
      // The guest has ended, and all of its trace is here.
      if count == 0 { return }
      if count > 0 {
        bytes = bytes + buffer[..<count]
      } else if errno != EAGAIN, errno != EINTR {
        return
      }
    }
  }
}
