// SPDX-License-Identifier: Apache-2.0

/// A disk (Virtual I/O Device 1.2, 5.2).
struct BlockRequests: RequestHandler {
  let disk: DiskImage
  /// What the guest sees in /sys/block/vda/serial: 20 bytes at most.
  let serial: String

  let kind = VirtIOKind.block
  let queueSize: UInt16 = 256

  /// Bytes of a segment, so that no request takes long: whoever ends the guest waits for the one in service.
  static let segmentSize = 1 << 20
  /// A request has two descriptors beside its data's.
  private var segments: Int { Int(queueSize) - 2 }

  var features: UInt64 {
    VirtIOFeature.indirectDescriptors | VirtIOFeature.Block.flush
      | VirtIOFeature.Block.sizeMaximum | VirtIOFeature.Block.segmentMaximum
      | (disk.isReadOnly ? VirtIOFeature.Block.readOnly : 0)
  }

  /// struct virtio_blk_config up to seg_max.
  var configuration: [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(littleEndian: disk.sectors)
    bytes.append(littleEndian: UInt32(Self.segmentSize))
    bytes.append(littleEndian: UInt32(segments))
    return bytes
  }

  /// 5.2.6
  private enum RequestType {
    static let read: UInt32 = 0
    static let write: UInt32 = 1
    static let flush: UInt32 = 4
    static let identity: UInt32 = 8
  }

  private enum Status: UInt8 {
    case ok = 0
    case ioError = 1
    case unsupported = 2
  }

  private static let headerSize = 16
  private static let identitySize = 20

  func serve(_ chain: VirtQueue.Chain, features: UInt64) -> Int {
    var readable = ScatteredBytes(chain.readable)
    var writable = ScatteredBytes(chain.writable)
    // Where there is no place for a status, there is nothing to say.
    guard let status = writable.takeLast() else { return 0 }
    guard let header = readable.take(Self.headerSize) else {
      status.pointee = Status.ioError.rawValue
      return 1
    }
    let type = header.number(at: 0, as: UInt32.self)
    let sector = header.number(at: 8, as: UInt64.self)
    let result: Status
    var written = 0
    switch type {
    case RequestType.read:
      result = transfer(.fromDisk, writable, sector: sector)
      if result == .ok { written = writable.count }
    case RequestType.write:
      // Without VIRTIO_BLK_F_FLUSH the driver cannot ask for what it relies on (5.2.6.2).
      let isCached = features & VirtIOFeature.Block.flush != 0
      let moved = disk.isReadOnly ? .ioError : transfer(.toDisk, readable, sector: sector)
      result = moved == .ok && !isCached && !disk.flush() ? .ioError : moved
    case RequestType.flush: result = disk.flush() ? .ok : .ioError
    case RequestType.identity:
      let identity = Array(serial.utf8.prefix(Self.identitySize))
      written = writable.write(
        identity + [UInt8](repeating: 0, count: Self.identitySize - identity.count))
      result = written == Self.identitySize ? .ok : .ioError
    default: result = .unsupported
    }
    status.pointee = result.rawValue
    return written + 1
  }

  private func transfer(
    _ direction: DiskImage.Direction, _ bytes: ScatteredBytes, sector: UInt64
  ) -> Status {
    let size = UInt64(DiskImage.sectorSize)
    let count = UInt64(bytes.count)
    guard count <= segments * Self.segmentSize, count % size == 0, sector <= disk.sectors,
      count / size <= disk.sectors - sector
    else {
      return .ioError
    }
    return disk.transfer(direction, bytes.buffers, at: sector * size) ? .ok : .ioError
  }
}
