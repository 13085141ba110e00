// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// What a device does with what the guest hands over in its one queue.
protocol RequestHandler: Sendable {
  var kind: VirtIOKind { get }
  var features: UInt64 { get }
  var queueSize: UInt16 { get }
  var configuration: [UInt8] { get }

  /// Serves one chain of buffers: how many bytes of them were written. `features` are those that the
  /// driver took.
  func serve(_ chain: VirtQueue.Chain, features: UInt64) -> Int
}

/// A device whose requests a thread of this process serves, one after another.
final class RequestDevice<Handler: RequestHandler>: VirtIOBackend {
  private struct Started: @unchecked Sendable {
    var queue: VirtQueue
    var interrupt: EventDescriptor?
    var features: UInt64
    var violated: @Sendable () -> Void
  }

  private enum Round {
    case idle
    case more
    case violated(@Sendable () -> Void)
  }

  let handler: Handler
  /// What the thread waits for.
  private let notification: EventDescriptor
  /// The lock is held while requests are served: whoever has stopped the device can be sure that none is.
  private let state = Mutex<Started?>(nil)

  /// Chains that are served before `stop` gets its turn.
  private static var mostInARound: Int { 8 }

  init(_ handler: Handler, notification: EventDescriptor) {
    self.handler = handler
    self.notification = notification
  }

  var kind: VirtIOKind { handler.kind }
  var features: UInt64 { handler.features }
  var queueSizes: [UInt16] { [handler.queueSize] }
  var configuration: [UInt8] { handler.configuration }

  func start(
    _ queues: [ReadyQueue], features: UInt64, memory: GuestMemory,
    violated: @escaping @Sendable () -> Void
  ) throws(VirtIOStartError) {
    guard let ready = queues.first else { return }
    let queue: VirtQueue
    do {
      queue = try VirtQueue(ready.layout, in: memory)
    } catch {
      throw .guest(error)
    }
    let started = Started(
      queue: queue, interrupt: ready.interrupt, features: features, violated: violated)
    state.withLock { $0 = started }
    // What came before the driver was ready is served too.
    notification.signal()
  }

  func stop() { state.withLock { $0 = nil } }

  /// The thread's whole life.
  func run(until isOver: () -> Bool) {
    while !isOver() {
      notification.wait()
      notification.clear()
      serve(until: isOver)
    }
  }

  /// Serves what waits.
  func serve(until isOver: () -> Bool = { false }) {
    while !isOver() {
      switch round() {
      case .idle: return
      case .more: continue
      // Without the lock: whoever hears of it may hold one while it stops the device.
      case .violated(let report): return report()
      }
    }
  }

  private func round() -> Round {
    state.withLock { state in
      guard var started = state else { return .idle }
      started.queue.wantNotifications(false)
      do {
        for _ in 0..<Self.mostInARound {
          guard try serveOne(&started) else {
            started.queue.wantNotifications(true)
            // One may have come after the last look and before the wish for notifications.
            let isIdle = try !serveOne(&started)
            state = started
            return isIdle ? .idle : .more
          }
        }
      } catch {
        state = nil
        return .violated(started.violated)
      }
      state = started
      return .more
    }
  }

  /// Whether there was one.
  private func serveOne(_ started: inout Started) throws(VirtQueue.Violation) -> Bool {
    guard let chain = try started.queue.next() else { return false }
    let written = handler.serve(chain, features: started.features)
    started.queue.put(chain, written: written)
    if started.queue.wantsInterrupt { started.interrupt?.signal() }
    return true
  }
}
