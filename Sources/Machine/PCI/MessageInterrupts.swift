// SPDX-License-Identifier: Apache-2.0
import KVM
import Synchronization
import SystemPackage

/// What devices need of the virtual machine: eventfds in place of calls.
protocol EventWiring: Sendable {
  func signal(_ event: FileDescriptor, atWritesTo address: UInt64, size: UInt32) throws(KVMError)
  func connect(_ event: FileDescriptor, toLine line: UInt32) throws(KVMError)
  func disconnect(_ event: FileDescriptor, fromLine line: UInt32) throws(KVMError)
  /// All lines that stand for messages, in place of those of before.
  func route(_ messages: [InterruptMessage]) throws(KVMError)
}

/// The interrupt messages of all devices. A device's interrupt is an eventfd, which is connected to a line
/// that stands for the message as long as the guest has not masked it: meanwhile signals wait in the eventfd.
final class MessageInterrupts: Sendable {
  private struct State {
    var messages: [UInt32: InterruptMessage] = [:]
    var connected: Set<UInt32> = []
    var firstFree: UInt32
  }

  private let wiring: any EventWiring
  private let failed: @Sendable (KVMError) -> Void
  private let state: Mutex<State>

  /// Lines below are those of the interrupt controllers.
  private static let firstLine: UInt32 = 24

  /// `failed` hears of what the virtual machine refused: then an interrupt may be lost.
  init(_ wiring: any EventWiring, failed: @escaping @Sendable (KVMError) -> Void) {
    self.wiring = wiring
    self.failed = failed
    state = Mutex(State(firstFree: Self.firstLine))
  }

  /// Lines for a device's interrupts: the first of them.
  func reserve(_ count: Int) -> UInt32 {
    state.withLock { state in
      defer { state.firstFree += UInt32(count) }
      return state.firstFree
    }
  }

  /// `entry` is what the guest says of the interrupt now; nil: it is masked.
  func set(_ line: UInt32, _ event: EventDescriptor, to entry: MSIXTable.Entry?) {
    state.withLock { state in
      do throws(KVMError) {
        guard let entry else {
          if state.connected.remove(line) != nil {
            try wiring.disconnect(event.descriptor, fromLine: line)
          }
          return
        }
        let message = InterruptMessage(line: line, address: entry.address, data: entry.data)
        if state.messages[line] != message {
          state.messages[line] = message
          try wiring.route(state.messages.values.sorted { $0.line < $1.line })
        }
        if state.connected.insert(line).inserted {
          try wiring.connect(event.descriptor, toLine: line)
        }
      } catch {
        failed(error)
      }
    }
  }
}

extension InterruptLines: EventWiring {
  func signal(
    _ event: FileDescriptor, atWritesTo address: UInt64, size: UInt32
  ) throws(KVMError) {
    try machine.signal(event, atWritesTo: address, size: size)
  }

  func connect(_ event: FileDescriptor, toLine line: UInt32) throws(KVMError) {
    try machine.connect(event, toLine: line)
  }

  func disconnect(_ event: FileDescriptor, fromLine line: UInt32) throws(KVMError) {
    try machine.disconnect(event, fromLine: line)
  }

  func route(_ messages: [InterruptMessage]) throws(KVMError) {
    try machine.routeInterruptLinesAsPC(messages: messages)
  }
}
