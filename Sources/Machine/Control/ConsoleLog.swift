// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// The newest of what a guest wrote to its console. The guest never waits for a reader: one that
/// is too slow misses what was written over.
final class ConsoleLog: Sendable {
  private struct State {
    var ring: [UInt8] = []
    /// Bytes written since the start.
    var end: UInt64 = 0
  }

  /// Bytes that are kept.
  let capacity: Int
  private let state = Mutex(State())
  private let isAwaited = Atomic(false)
  private let news = EventDescriptor.required()

  /// Readable when something was written after `await()`.
  var event: Int32 { news.descriptor.rawValue }

  init(capacity: Int = 1 << 16) { self.capacity = capacity }

  func append(_ bytes: some Sequence<UInt8>) {
    state.withLock { state in
      for byte in bytes {
        if state.ring.count < capacity {
          state.ring.append(byte)
        } else {
          state.ring[Int(state.end % UInt64(capacity))] = byte
        }
        state.end += 1
      }
    }
    if isAwaited.exchange(false, ordering: .sequentiallyConsistent) { news.signal() }
  }

  /// Asks for one event. What was written before shows in `end`, read afterwards.
  func await() {
    news.clear()
    isAwaited.store(true, ordering: .sequentiallyConsistent)
  }

  var end: UInt64 { state.withLock { $0.end } }

  struct Part: Equatable {
    var bytes: [UInt8]
    /// Where the next part begins.
    var end: UInt64
    /// Bytes from the position asked for that are kept no longer.
    var lost: UInt64
  }

  /// At most `limit` bytes that were written after the first `position`.
  func read(from position: UInt64, limit: Int) -> Part {
    state.withLock { state in
      let oldest = state.end - UInt64(state.ring.count)
      let begin = min(max(position, oldest), state.end)
      let end = min(state.end, begin + UInt64(limit))
      let bytes = (begin..<end).map { state.ring[Int($0 % UInt64(capacity))] }
      return Part(bytes: bytes, end: end, lost: begin - min(position, begin))
    }
  }
}
