// SPDX-License-Identifier: Apache-2.0
import Glibc
import LinuxCalls
import SystemPackage

/// A file, or a block device, whose bytes are a disk's. Nobody else has it meanwhile, but where all only read it.
final class DiskImage: Sendable {
  /// Bytes in a sector of a disk, whatever its medium has.
  static let sectorSize = 512

  let isReadOnly: Bool
  /// Whole sectors; a rest behind them is not of the disk.
  let sectors: UInt64
  private let descriptor: FileDescriptor

  init(_ choice: VirtualDevice.Disk) throws(VirtualDeviceError) {
    let path = choice.path
    let descriptor: FileDescriptor
    do {
      descriptor = try FileDescriptor.open(
        FilePath(path), choice.isReadOnly ? .readOnly : .readWrite, options: .closeOnExec)
    } catch {
      throw .disk(path: path, error as? Errno ?? .ioError)
    }
    do throws(VirtualDeviceError) {
      try Self.lock(descriptor, choice)
      sectors = try Self.size(of: descriptor, path: path) / UInt64(Self.sectorSize)
    } catch {
      try? descriptor.close()
      throw error
    }
    isReadOnly = choice.isReadOnly
    self.descriptor = descriptor
  }

  deinit { try? descriptor.close() }

  private static func lock(
    _ descriptor: FileDescriptor, _ choice: VirtualDevice.Disk
  ) throws(VirtualDeviceError) {
    guard lockFile(descriptor.rawValue, exclusively: choice.isReadOnly ? 0 : 1) != 0 else { return }
    let error = Errno(rawValue: errno)
    guard error == .resourceTemporarilyUnavailable || error == .permissionDenied else {
      throw .disk(path: choice.path, error)
    }
    throw .diskInUse(path: choice.path, isReadOnly: choice.isReadOnly)
  }

  private static func size(
    of descriptor: FileDescriptor, path: String
  ) throws(VirtualDeviceError) -> UInt64 {
    var status = stat()
    guard fstat(descriptor.rawValue, &status) == 0 else {
      throw .disk(path: path, Errno(rawValue: errno))
    }
    switch status.st_mode & S_IFMT {
    case S_IFREG:
      guard status.st_size >= sectorSize else { throw .diskEmpty(path: path) }
      return UInt64(status.st_size)
    case S_IFBLK:
      let size = blockDeviceSize(descriptor.rawValue)
      guard size >= 0 else { throw .disk(path: path, Errno(rawValue: errno)) }
      return UInt64(size)
    default: throw .notADisk(path: path)
    }
  }

  enum Direction {
    case fromDisk
    case toDisk
  }

  /// Moves all of `buffers` from or to the disk, from byte `offset` on. Whether that went well.
  func transfer(
    _ direction: Direction, _ buffers: [UnsafeMutableRawBufferPointer], at offset: UInt64
  ) -> Bool {
    var vectors = buffers.filter { !$0.isEmpty }
      .map { iovec(iov_base: $0.baseAddress, iov_len: $0.count) }
    var offset = off_t(offset)
    var first = 0
    while first < vectors.count {
      let moved = vectors[first...].withUnsafeBufferPointer { rest in
        // IOV_MAX of Linux.
        let count = Int32(min(rest.count, 1024))
        return switch direction {
        case .fromDisk: preadv(descriptor.rawValue, rest.baseAddress, count, offset)
        case .toDisk: pwritev(descriptor.rawValue, rest.baseAddress, count, offset)
        }
      }
      if moved < 0, errno == EINTR { continue }
      // Nothing: the file has become shorter.
      guard moved > 0 else { return false }
      offset += off_t(moved)
      var left = moved
      while first < vectors.count, left >= vectors[first].iov_len {
        left -= vectors[first].iov_len
        first += 1
      }
      if left > 0 {
        vectors[first].iov_base += left
        vectors[first].iov_len -= left
      }
    }
    return true
  }

  /// Whether all that was written is on its medium now.
  func flush() -> Bool {
    while fdatasync(descriptor.rawValue) != 0 {
      guard errno == EINTR else { return false }
    }
    return true
  }
}
