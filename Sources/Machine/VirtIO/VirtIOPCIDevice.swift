// SPDX-License-Identifier: Apache-2.0
import KVM
import Synchronization
import SystemPackage

/// A virtio device on the PCI bus (Virtual I/O Device 1.2, 4.1). A notification of the guest signals an
/// eventfd, and an interrupt is an MSI-X message that an eventfd sends: neither stops a vCPU's thread.
/// There is no interrupt pin.
final class VirtIOPCIDevice: Device, PCIFunction {
  private struct State {
    var configuration: PCIConfiguration
    var registers: VirtIORegisters
    var table: MSIXTable
  }

  /// The device's memory, all in base address 0.
  enum Place {
    static let common = 0x0000
    static let interruptStatus = 0x1000
    static let device = 0x2000
    static let notifications = 0x3000
    static let table = 0x4000
    static let pending = 0x5000
    /// Bytes, a power of two.
    static let size = 0x8000
  }

  /// Bytes between the places of two queues' notifications.
  private static let notificationStride = 4
  /// Where the MSI-X capability has its control word, from its start; bits 15 and 14 enable and mask.
  private static let messageControl = 2

  let backend: any VirtIOBackend
  /// Signalled when the guest has made something available, one for each queue.
  let notifications: [EventDescriptor]
  let address: UInt64
  private let memory: GuestMemory
  private let messages: MessageInterrupts
  private let firstLine: UInt32
  /// Interrupts: that of the configuration, and one for each queue.
  private let vectors: [EventDescriptor]
  private let messageCapability: Int
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
    var configuration = Self.configuration(of: backend, at: UInt32(address))
    messageCapability = Self.addMessages(to: &configuration, count: vectors.count)
    state = Mutex(
      State(
        configuration: configuration,
        registers: VirtIORegisters(
          features: backend.features, queueSizes: backend.queueSizes,
          vectors: UInt16(vectors.count)),
        table: MSIXTable(count: vectors.count)))
  }

  /// Has the guest's notifications go past this process' vCPU threads.
  func wireNotifications(_ wiring: any EventWiring) throws(KVMError) {
    for (queue, event) in notifications.enumerated() {
      let place = Place.notifications + queue * Self.notificationStride
      try wiring.signal(event.descriptor, atWritesTo: address + UInt64(place), size: 2)
    }
  }

  /// The guest has gone.
  func stop() { backend.stop() }

  // MARK: The function's configuration

  private static func configuration(
    of backend: any VirtIOBackend, at address: UInt32
  ) -> PCIConfiguration {
    var configuration = PCIConfiguration(
      vendor: 0x1af4, device: 0x1040 + backend.kind.rawValue, classCode: backend.kind.pciClass,
      subsystem: backend.kind.rawValue)
    configuration.setMemory(at: address, size: UInt32(Place.size))
    // struct virtio_pci_cap (4.1.4): length, type, base address 0, padding, offset, length.
    let structures: [(type: UInt8, offset: Int, size: Int)] = [
      (1, Place.common, VirtIORegisters.size),
      (2, Place.notifications, notificationStride * backend.queueSizes.count),
      (3, Place.interruptStatus, 1),
      (4, Place.device, max(backend.configuration.count, 4)),
    ]
    for structure in structures {
      let isNotification = structure.type == 2
      var body: [UInt8] = [isNotification ? 20 : 16, structure.type, 0, 0, 0, 0]
      body.append(littleEndian: UInt32(structure.offset))
      body.append(littleEndian: UInt32(structure.size))
      if isNotification { body.append(littleEndian: UInt32(notificationStride)) }
      _ = configuration.addCapability(0x09, body: body)
    }
    return configuration
  }

  private static func addMessages(to configuration: inout PCIConfiguration, count: Int) -> Int {
    var body: [UInt8] = []
    body.append(littleEndian: UInt16(count - 1))
    body.append(littleEndian: UInt32(Place.table))
    body.append(littleEndian: UInt32(Place.pending))
    return configuration.addCapability(MSIXTable.capability, body: body, writable: [0x00, 0xc0])
  }

  func readConfiguration(_ offset: Int, size: Int) -> UInt64 {
    state.withLock { $0.configuration.read(offset, size: size) }
  }

  func writeConfiguration(_ offset: Int, _ value: UInt64, size: Int) {
    state.withLock {
      $0.configuration.write(offset, value, size: size)
      let control = messageCapability + Self.messageControl
      if offset + size > control, offset < control + 2 { connectInterrupts($0) }
    }
  }

  /// Each to the message that the guest has for it, if it is to be sent.
  private func connectInterrupts(_ state: State) {
    let control = state.configuration.read(messageCapability + Self.messageControl, size: 2)
    let isEnabled = control & (1 << 15 | 1 << 14) == 1 << 15
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
      Self.bytes(backend.configuration, offset - Place.device, size: size)
    case Place.table..<Place.pending: state.withLock { $0.table.read(offset - Place.table) }
    case Place.pending: pending
    default: 0
    }
  }

  private static func bytes(_ bytes: [UInt8], _ offset: Int, size: Int) -> UInt64 {
    (0..<size).reduce(0) {
      offset + $1 < bytes.count ? $0 | UInt64(bytes[offset + $1]) << (8 * UInt64($1)) : $0
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
      let queue = (offset - Place.notifications) / Self.notificationStride
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
