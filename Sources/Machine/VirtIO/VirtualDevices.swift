// SPDX-License-Identifier: Apache-2.0
import KVM
import SystemPackage

/// The virtio devices of a guest, each a function of the PCI bus behind the host bridge.
struct VirtualDevices: Sendable {
  /// A device of which all is there but its place in a guest.
  struct Opened: Sendable {
    var backend: any VirtIOBackend
    var notifications: [EventDescriptor]
    /// What a thread of its own does until the given question is answered with yes; nil: the kernel
    /// serves the device.
    var work: (@Sendable (() -> Bool) -> Void)?
  }

  /// The bus has 32 devices, of which one is the bridge.
  static let most = 31

  private let devices: [VirtIOPCIDevice]
  let works: [@Sendable (() -> Bool) -> Void]

  /// Takes from the host what the devices stand for.
  static func open(_ choices: [VirtualDevice]) throws(VirtualDeviceError) -> [Opened] {
    guard choices.count <= most else { throw .tooMany(limit: most) }
    var opened: [Opened] = []
    for (number, choice) in choices.enumerated() {
      switch choice {
      case .disk(let disk):
        let requests = BlockRequests(disk: try DiskImage(disk), serial: "apus-\(number)")
        opened.append(try requestDevice(requests))
      case .entropy: opened.append(try requestDevice(EntropyRequests()))
      case .network(let tap): opened.append(try kernelDevice(NetworkDevice(tap: tap)))
      case .socket(let identifier):
        opened.append(
          try kernelDevice(SocketDevice(contextIdentifier: identifier.number)))
      }
    }
    return opened
  }

  private static func requestDevice(
    _ handler: some RequestHandler
  ) throws(VirtualDeviceError) -> Opened {
    let events = try events(1)
    let device = RequestDevice(handler, notification: events[0])
    return Opened(backend: device, notifications: events) { device.run(until: $0) }
  }

  private static func kernelDevice(
    _ backend: some VirtIOBackend
  ) throws(VirtualDeviceError) -> Opened {
    Opened(backend: backend, notifications: try events(backend.queueSizes.count), work: nil)
  }

  private static func events(_ count: Int) throws(VirtualDeviceError) -> [EventDescriptor] {
    var events: [EventDescriptor] = []
    do throws(Errno) {
      for _ in 0..<count { events.append(try EventDescriptor()) }
    } catch {
      throw .hostFile(path: "eventfd", error)
    }
    return events
  }

  /// Puts them on the bus, in their order.
  init(
    _ opened: [Opened], memory: GuestMemory, wiring: any EventWiring, control: RunControl
  ) throws(KVMError) {
    let messages = MessageInterrupts(wiring) { control.finish(.hostFailed("\($0)")) }
    var devices: [VirtIOPCIDevice] = []
    for (number, device) in opened.enumerated() {
      do throws(Errno) {
        devices.append(
          try VirtIOPCIDevice(
            device.backend, notifications: device.notifications,
            at: GuestLayout.pciMemory.lowerBound
              + UInt64(number * VirtIOPCIConfiguration.Place.size),
            memory: memory, messages: messages,
            failed: { control.finish(.hostFailed("a device cannot start: \($0)")) }))
      } catch {
        throw KVMError(call: "eventfd", errno: error)
      }
      try devices[number].wireNotifications(wiring)
    }
    self.devices = devices
    works = opened.compactMap(\.work)
  }

  /// What is on the bus; nothing: there is no bus.
  var functions: [any PCIFunction] { devices.isEmpty ? [] : [PCIHostBridge()] + devices }

  func attach(to bus: inout DeviceBus) {
    for device in devices {
      bus.attach(device, at: device.address, count: UInt64(VirtIOPCIConfiguration.Place.size))
    }
  }

  /// The guest has gone: none of its memory is touched any more.
  func stop() { for device in devices { device.stop() } }
}
