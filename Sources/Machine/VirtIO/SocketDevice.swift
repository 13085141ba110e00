// SPDX-License-Identifier: Apache-2.0
import LinuxCalls
import SystemPackage

/// Sockets between guest and host, AF_VSOCK (Virtual I/O Device 1.2, 5.10), by vhost-vsock.
final class SocketDevice: VirtIOBackend {
  private let vhost: Vhost
  /// The guest's address; the host's is 2.
  private let contextIdentifier: UInt64

  let kind = VirtIOKind.socket
  /// To the guest, from it, and events, of which there are none.
  let queueSizes: [UInt16] = [128, 128, 16]

  init(contextIdentifier: UInt32) throws(VirtualDeviceError) {
    vhost = try Vhost("/dev/vhost-vsock", module: "vhost_vsock")
    self.contextIdentifier = UInt64(contextIdentifier)
    var value = self.contextIdentifier
    do {
      try vhost.call(VHOST_VSOCK_SET_GUEST_CID_, with: &value)
    } catch {
      throw error == .addressInUse
        ? .socketInUse(contextIdentifier) : .hostFile(path: vhost.path, error)
    }
  }

  /// struct virtio_vsock_config
  var configuration: [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(littleEndian: contextIdentifier)
    return bytes
  }

  var features: UInt64 {
    vhost.features & (VirtIOFeature.indirectDescriptors | VirtIOFeature.eventIndex)
  }

  func start(
    _ queues: [ReadyQueue], features: UInt64, memory: GuestMemory,
    violated: @escaping @Sendable () -> Void
  ) throws(VirtIOStartError) {
    try vhost.prepare(
      Array(queues.prefix(2)), features: features & vhost.features, memory: memory)
    do {
      try setRunning(1)
    } catch {
      throw .host("\(vhost.path): \(error)")
    }
  }

  func stop() { try? setRunning(0) }

  private func setRunning(_ value: Int32) throws(Errno) {
    var value = value
    try vhost.call(VHOST_VSOCK_SET_RUNNING_, with: &value)
  }
}
