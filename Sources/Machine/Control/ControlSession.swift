// SPDX-License-Identifier: Apache-2.0
import Figures
import Glibc

/// One connection to a guest's control socket. It belongs to the socket's thread and never
/// waits for the other end.
final class ControlSession {
  enum Input {
    case request(ControlRequest)
    /// What was typed at an attached console.
    case console(ArraySlice<UInt8>)
  }

  let descriptor: Int32
  private(set) var isOver = false
  private var lines = LineBuffer(limit: ControlRequest.longest)
  private var output: [UInt8] = []
  /// Bytes of the console that were sent, once it is attached.
  private var position: UInt64?
  /// The connection has the trace.
  private(set) var isTrace = false
  private var lostBatches: [Int: UInt64] = [:]
  private var awaitsEnd = false
  private var isFinishing = false

  /// Bytes that may wait for a slow reader.
  private static let mostWaiting = 1 << 15

  init(_ descriptor: Int32) { self.descriptor = descriptor }

  deinit { close(descriptor) }

  var isConsole: Bool { position != nil }

  /// What to wait for. Who does not read his answers is not read from.
  var events: Int16 {
    Int16(output.isEmpty ? 0 : POLLOUT)
      | Int16(isFinishing || output.count > Self.mostWaiting ? 0 : POLLIN)
  }

  /// Reads what came, and answers it.
  func receive(_ answer: (Input) -> ControlAnswer?) {
    var buffer = [UInt8](repeating: 0, count: 1024)
    let count = read(descriptor, &buffer, buffer.count)
    guard count > 0 else {
      if count == 0 || (errno != EAGAIN && errno != EINTR) { isOver = true }
      return
    }
    var bytes = buffer[..<count]
    while !isOver, !bytes.isEmpty {
      if isConsole {
        _ = answer(.console(bytes))
        return
      }
      guard let line = lines.next(&bytes) else {
        if lines.isOverfull { refuse(.tooLong) }
        break
      }
      do throws(ControlRequestError) {
        serve(try ControlRequest(line: line), answer)
      } catch {
        refuse(error)
      }
    }
    flush()
  }

  private func serve(_ request: ControlRequest, _ answer: (Input) -> ControlAnswer?) {
    guard let answer = answer(.request(request)) else { return }
    send(answer)
    guard answer.ok else { return }
    switch request {
    case .console: position = 0
    case .trace: isTrace = true
    case .stop, .kill: awaitsEnd = true
    case .status, .nmi, .timer: break
    }
  }

  private func refuse(_ error: ControlRequestError) {
    send(.refusal("\(error)"))
    // Where a line that is too long ends is not worth knowing.
    if error == .tooLong { isFinishing = true }
  }

  private func send(_ answer: ControlAnswer) {
    output += Array((JSON.line(answer) + "\n").utf8)
  }

  /// Sends what the guest wrote since.
  func show(_ log: ConsoleLog) {
    guard let begin = position else { return }
    guard output.count < Self.mostWaiting else { return }
    let part = log.read(from: begin, limit: Self.mostWaiting)
    if begin > 0, part.lost > 0 {
      output += Array("\r\n[apus: \(part.lost) bytes were lost on the way here]\r\n".utf8)
    }
    output += part.bytes
    position = part.end
    flush()
  }

  /// Bytes of a trace that may wait for a slow reader.
  private static let mostTraceWaiting = 1 << 22

  /// Sends what was written since. Where the reader is slow, events are lost and counted.
  func show(_ batches: [TraceBatch]) {
    for var batch in batches {
      batch.lost += lostBatches.removeValue(forKey: batch.virtualCPU) ?? 0
      guard output.count < Self.mostTraceWaiting else {
        lostBatches[batch.virtualCPU] = batch.lost + UInt64(batch.events.count)
        continue
      }
      if !batch.events.isEmpty || batch.lost > 0 { output += batch.bytes }
    }
    flush()
  }

  /// Queues the last of it. What cannot be sent at once is sent by `flush`.
  func finish(_ outcome: RunOutcome?, console: ConsoleLog?) {
    isFinishing = true
    if let console, let position {
      output += console.read(from: position, limit: console.capacity).bytes
    }
    if awaitsEnd, let outcome { send(ControlAnswer(ok: true, ended: GuestEnd(outcome))) }
    flush()
  }

  func flush() {
    while !output.isEmpty {
      let count = Glibc.send(descriptor, output, output.count, Int32(MSG_NOSIGNAL))
      if count < 0 {
        if errno == EINTR { continue }
        if errno != EAGAIN { isOver = true }
        return
      }
      output.removeFirst(count)
    }
    if isFinishing { isOver = true }
  }
}
