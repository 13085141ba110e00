// SPDX-License-Identifier: Apache-2.0
import KVM
import Synchronization
import SystemPackage

/// A virtio device on the PCI bus (Virtual I/O Device 1.2, 4.1). A notification of the guest signals an
/// eventfd, and an interrupt is an MSI-X message that an eventfd sends: neither stops a vCPU's thread.
/// There is no interrupt pin.
final class VirtIOPCIDevice: Device, PCIFunction {
  private struct State {
    var configuration: VirtIOPCIConfiguration
    var registers: VirtIORegisters
    var table: MSIXTable
  }

  typealias Place = VirtIOPCIConfiguration.Place

  private static let stride = VirtIOPCIConfiguration.notificationStride

  let backend: any VirtIOBackend
  /// Signalled when the guest has made something available, one for each queue.
  let notifications: [EventDescriptor]
  let address: UInt64
  private let memory: GuestMemory
  private let messages: MessageInterrupts
  private let firstLine: UInt32
  /// Interrupts: that of the configuration, and one for each queue.
  private let vectors: [EventDescriptor]
  private let failed: @Sendable (String) -> Void
  private let state: Mutex<State>

  /// `notifications` are those that the back end waits for; its memory begins at `address`. `failed` hears of what the host
  /// refused.
  init(
    _ backend: any VirtIOBackend, notifications: [EventDescriptor], at address: UInt64,
    memory: GuestMemory, messages: MessageInterrupts, failed: @escaping @Sendable (String) -> Void
  ) throws(Errno) {
    self.backend = backend
    self.notifications = notifications
    self.address = address
    self.memory = memory
    self.messages = messages
    self.failed = failed
    var vectors: [EventDescriptor] = []
    for _ in 0...backend.queueSizes.count { vectors.append(try EventDescriptor()) }
    self.vectors = vectors
    firstLine = messages.reserve(vectors.count)
    state = Mutex(
      State(
        configuration: VirtIOPCIConfiguration(
          of: backend, at: UInt32(address), vectors: vectors.count),
        registers: VirtIORegisters(
          features: backend.features, queueSizes: backend.queueSizes,
          vectors: UInt16(vectors.count)),
        table: MSIXTable(count: vectors.count)))
  }

  /// Has the guest's notifications go past this process' vCPU threads.
  func wireNotifications(_ wiring: any EventWiring) throws(KVMError) {
    for (queue, event) in notifications.enumerated() {
      let place = Place.notifications + queue * Self.stride
      try wiring.signal(event.descriptor, atWritesTo: address + UInt64(place), size: 2)
    }
  }

  /// The guest has gone.
  func stop() { backend.stop() }

  // MARK: The function's configuration

  func readConfiguration(_ offset: Int, size: Int) -> UInt64 {
    let (value, behind) = state.withLock {
      ($0.configuration.read(offset, size: size), $0.configuration.memory(behind: offset))
    }
    return behind.map { read($0.offset, size: $0.size) } ?? value
  }

  func writeConfiguration(_ offset: Int, _ value: UInt64, size: Int) {
    let behind = state.withLock {
      if $0.configuration.write(offset, value, size: size) { connectInterrupts($0) }
      return $0.configuration.memory(behind: offset)
    }
    guard let behind else { return }
    write(behind.offset, value & (1 << UInt64(8 * behind.size) - 1), size: behind.size)
  }

  /// Each to the message that the guest has for it, if it is to be sent.
  private func connectInterrupts(_ state: State) {
    let isEnabled = state.configuration.sendsMessages
    for (index, entry) in state.table.entries.enumerated() {
      messages.set(
        firstLine + UInt32(index), vectors[index], to: isEnabled && !entry.isMasked ? entry : nil)
    }
  }

  // MARK: The device's memory

  func read(_ offset: Int, size: Int) -> UInt64 {
    switch offset {
    case Place.common..<Place.interruptStatus: state.withLock { $0.registers.read(offset) }
    // Only for those who have no MSI-X.
    case Place.interruptStatus..<Place.device: 0
    case Place.device..<Place.notifications:
      backend.configuration.number(at: offset - Place.device, size: size, missing: 0)
    case Place.table..<Place.pending: state.withLock { $0.table.read(offset - Place.table) }
    case Place.pending: pending
    default: 0
    }
  }

  /// A bit for each interrupt that waits for its mask to go.
  private var pending: UInt64 {
    vectors.enumerated().reduce(0) { $1.element.isSignalled ? $0 | 1 << UInt64($1.offset) : $0 }
  }

  func write(_ offset: Int, _ value: UInt64, size: Int) {
    switch offset {
    case Place.common..<Place.interruptStatus: writeCommon(offset, value, size: size)
    // A write of a size that the eventfd does not stand for.
    case Place.notifications..<Place.table:
      let queue = (offset - Place.notifications) / Self.stride
      if queue < notifications.count { notifications[queue].signal() }
    case Place.table..<Place.pending:
      state.withLock {
        $0.table.write(offset - Place.table, value, size: size)
        connectInterrupts($0)
      }
    default: break
    }
  }

  private func writeCommon(_ offset: Int, _ value: UInt64, size: Int) {
    state.withLock { state in
      switch state.registers.write(offset, value, size: size) {
      case .start: start(&state)
      case .reset: backend.stop()
      case nil: break
      }
    }
  }

  private func start(_ state: inout State) {
    let registers = state.registers
    func interrupt(_ vector: UInt16) -> EventDescriptor? {
      vector == VirtIORegisters.noVector ? nil : vectors[Int(vector)]
    }
    let queues = zip(registers.queues, notifications).map { queue, notification in
      ReadyQueue(
        layout: queue.layout, notification: notification, interrupt: interrupt(queue.vector))
    }
    do throws(VirtIOStartError) {
      // What devices there are cannot do with some of their queues.
      guard registers.queues.allSatisfy(\.isEnabled) else { throw .guest(.layout) }
      try backend.start(queues, features: registers.features, memory: memory) { [weak self] in
        self?.needReset()
      }
    } catch {
      backend.stop()
      if case .host(let reason) = error { failed(reason) }
      needReset(&state)
    }
  }

  /// The guest has broken the rules, and is told so. From any thread.
  private func needReset() { state.withLock { needReset(&$0) } }

  private func needReset(_ state: inout State) {
    state.registers.needReset()
    let vector = state.registers.configurationVector
    if vector != VirtIORegisters.noVector { vectors[Int(vector)].signal() }
  }
}
