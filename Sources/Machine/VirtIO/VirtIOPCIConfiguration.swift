// SPDX-License-Identifier: Apache-2.0

/// The PCI configuration of a virtio device: by its capabilities a driver finds the parts of the device's
/// memory (Virtual I/O Device 1.2, 4.1.4), and its interrupts.
struct VirtIOPCIConfiguration {
  /// The parts of the memory, all in base address 0.
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
  static let notificationStride = 4

  /// `cfg_type` of struct virtio_pci_cap.
  private enum Structure {
    static let common: UInt8 = 1
    static let notifications: UInt8 = 2
    static let interruptStatus: UInt8 = 3
    static let device: UInt8 = 4
    static let window: UInt8 = 5
  }

  private static let vendorSpecific: UInt8 = 0x09

  private var bytes: PCIConfiguration
  /// Where the control word of MSI-X is (PCI Local Bus Specification 3.0, 6.8.2.3).
  private let messageControl: Int
  /// Where the capability with the window to the memory is.
  private let window: Int

  /// The memory begins at `address`; `vectors` is how many interrupts there are.
  init(of backend: some VirtIOBackend, at address: UInt32, vectors: Int) {
    bytes = PCIConfiguration(
      vendor: 0x1af4, device: 0x1040 + backend.kind.rawValue, classCode: backend.kind.pciClass,
      subsystem: backend.kind.rawValue)
    bytes.setMemory(at: address, size: UInt32(Place.size))
    func body(_ type: UInt8, _ offset: Int, _ size: Int, more: [UInt32] = []) -> [UInt8] {
      // Length, type, base address, identifier, padding, offset, length.
      var body: [UInt8] = [UInt8(16 + 4 * more.count), type, 0, 0, 0, 0]
      for word in [UInt32(offset), UInt32(size)] + more { body.append(littleEndian: word) }
      return body
    }
    let queues = backend.queueSizes.count
    for part in [
      body(Structure.common, Place.common, VirtIORegisters.size),
      body(
        Structure.notifications, Place.notifications, Self.notificationStride * queues,
        more: [UInt32(Self.notificationStride)]),
      body(Structure.interruptStatus, Place.interruptStatus, 1),
      body(Structure.device, Place.device, max(backend.configuration.count, 4)),
    ] { _ = bytes.addCapability(Self.vendorSpecific, body: part) }
    // The guest writes which part of the memory it shows: base address, offset, length.
    let writable: [UInt8] = [0, 0, 0xff, 0, 0, 0] + [UInt8](repeating: 0xff, count: 8)
    window = bytes.addCapability(
      Self.vendorSpecific, body: body(Structure.window, 0, 0, more: [0]), writable: writable)
    var messages: [UInt8] = []
    messages.append(littleEndian: UInt16(vectors - 1))
    messages.append(littleEndian: UInt32(Place.table))
    messages.append(littleEndian: UInt32(Place.pending))
    messageControl =
      2 + bytes.addCapability(MSIXTable.capability, body: messages, writable: [0x00, 0xc0])
  }

  func read(_ offset: Int, size: Int) -> UInt64 { bytes.read(offset, size: size) }

  /// Whether what was written concerns interrupts.
  mutating func write(_ offset: Int, _ value: UInt64, size: Int) -> Bool {
    bytes.write(offset, value, size: size)
    return offset + size > messageControl && offset < messageControl + 2
  }

  /// MSI-X Enable without Function Mask.
  var sendsMessages: Bool {
    bytes.read(messageControl, size: 2) & (1 << 15 | 1 << 14) == 1 << 15
  }

  /// What an access at `offset` reaches through the window, if that is where it is: a place in the memory
  /// and a size (4.1.4.9).
  func memory(behind offset: Int) -> (offset: Int, size: Int)? {
    let base = bytes.read(window + 4, size: 1)
    let place = Int(bytes.read(window + 8, size: 4))
    let size = Int(bytes.read(window + 12, size: 4))
    guard offset == window + 16, base == 0, [1, 2, 4].contains(size), place % size == 0,
      place + size <= Place.size
    else { return nil }
    return (place, size)
  }
}
