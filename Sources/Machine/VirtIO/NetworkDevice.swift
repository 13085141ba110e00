// SPDX-License-Identifier: Apache-2.0
import Glibc
import KVM
import LinuxCalls
import SystemPackage

/// A network card (Virtual I/O Device 1.2, 5.1): vhost-net between the guest and a TAP interface of the
/// host's that exists already.
final class NetworkDevice: VirtIOBackend {
  private let vhost: Vhost
  private let tap: FileDescriptor
  /// What the guest sends from: locally administered, and always the same behind the same interface.
  let address: [UInt8]

  let kind = VirtIOKind.network
  /// To the guest, and from it.
  let queueSizes: [UInt16] = [256, 256]
  var configuration: [UInt8] { address }

  /// Bytes of struct virtio_net_hdr_v1 before each packet.
  private static let headerSize: Int32 = 12

  /// What of a packet may be left undone, as the guest takes it and as Linux is told that it does
  /// (TUNSETOFFLOAD).
  private static let offloads: [(feature: UInt64, flag: UInt32)] = [
    (VirtIOFeature.Network.guestChecksum, UInt32(TUN_F_CSUM)),
    (VirtIOFeature.Network.guestTSO4, UInt32(TUN_F_TSO4)),
    (VirtIOFeature.Network.guestTSO6, UInt32(TUN_F_TSO6)),
  ]

  init(tap name: String) throws(VirtualDeviceError) {
    vhost = try Vhost("/dev/vhost-net", module: "vhost_net")
    // Opening the interface would make one of that name.
    guard Glibc.access("/sys/class/net/\(name)/tun_flags", F_OK) == 0 else {
      throw .noTAP(name: name)
    }
    let path = "/dev/net/tun"
    let tap: FileDescriptor
    do {
      tap = try FileDescriptor.open(
        FilePath(path), .readWrite, options: [.closeOnExec, .nonBlocking])
    } catch {
      throw .hostFile(path: path, error as? Errno ?? .ioError)
    }
    self.tap = tap
    let flags = Int16(IFF_TAP) | Int16(IFF_NO_PI) | Int16(IFF_VNET_HDR)
    var size = Self.headerSize
    do throws(Errno) {
      guard attachTAP(tap.rawValue, name: name, flags: flags) == 0 else {
        throw Errno(rawValue: errno)
      }
      try SystemCall.ioctl(tap, TUNSETVNETHDRSZ_, with: &size)
    } catch {
      try? tap.close()
      throw .tap(name: name, error)
    }
    address = Self.address(for: name)
  }

  deinit { try? tap.close() }

  /// FNV-1a of the name in five bytes, behind one that says "locally administered, one station".
  static func address(for name: String) -> [UInt8] {
    let hash = name.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01b3
    }
    return [0x02] + (0..<5).map { UInt8(truncatingIfNeeded: hash >> (8 * $0)) }
  }

  var features: UInt64 {
    let ofKernel =
      VirtIOFeature.indirectDescriptors | VirtIOFeature.eventIndex
      | VirtIOFeature.Network.mergeableBuffers
    let ofInterface =
      VirtIOFeature.Network.checksum | VirtIOFeature.Network.hostTSO4
      | VirtIOFeature.Network.hostTSO6
    return vhost.features & ofKernel | ofInterface | VirtIOFeature.Network.address
      | Self.offloads.reduce(0) { $0 | $1.feature }
  }

  func start(
    _ queues: [ReadyQueue], features: UInt64, memory: GuestMemory,
    violated: @escaping @Sendable () -> Void
  ) throws(VirtIOStartError) {
    // Linux takes the others only with the first.
    let hasChecksum = features & VirtIOFeature.Network.guestChecksum != 0
    let taken = hasChecksum ? Self.offloads.filter { features & $0.feature != 0 } : []
    let flags = taken.reduce(0) { $0 | $1.flag }
    do {
      try SystemCall.ioctl(tap, TUNSETOFFLOAD_, UInt(flags))
    } catch {
      throw .host("TUNSETOFFLOAD: \(error)")
    }
    try vhost.prepare(queues, features: features & vhost.features, memory: memory)
    do {
      for index in queues.indices { try setBackend(tap.rawValue, queue: index) }
    } catch {
      throw .host("\(vhost.path): \(error)")
    }
  }

  func stop() {
    // The kernel has let go of a queue when the call returns.
    for index in queueSizes.indices { try? setBackend(-1, queue: index) }
  }

  private func setBackend(_ descriptor: Int32, queue: Int) throws(Errno) {
    var file = vhost_vring_file(index: UInt32(queue), fd: descriptor)
    try vhost.call(VHOST_NET_SET_BACKEND_, with: &file)
  }
}
