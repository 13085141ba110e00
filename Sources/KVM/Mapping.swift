// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// Memory of this process that is returned when its owner goes.
public struct Mapping: ~Copyable, @unchecked Sendable {
  public let address: UnsafeMutableRawPointer
  /// Bytes.
  public let size: Int
  private let whole: UnsafeMutableRawBufferPointer

  /// A huge page of x86, and the alignment that lets one nested table entry cover it.
  public static var hugePage: Int { 2 << 20 }

  /// Zeroed memory aligned to a huge page, in huge pages if the kernel has them.
  public init(anonymous size: Int) throws(KVMError) {
    let extent = size + Self.hugePage
    let start = try calling("mmap") { () throws(Errno) in
      try SystemCall.mapAnonymous(size: extent)
    }
    let misalignment = Int(bitPattern: start) & (Self.hugePage - 1)
    address = start + (misalignment == 0 ? 0 : Self.hugePage - misalignment)
    self.size = size
    whole = UnsafeMutableRawBufferPointer(start: start, count: extent)
    SystemCall.adviseHugePages(address, size: size)
  }

  init(_ descriptor: FileDescriptor, size: Int) throws(KVMError) {
    address = try calling("mmap") { () throws(Errno) in
      try SystemCall.map(descriptor, size: size)
    }
    self.size = size
    whole = UnsafeMutableRawBufferPointer(start: address, count: size)
  }

  /// For reading only.
  init(reading descriptor: FileDescriptor, offset: Int, size: Int) throws(KVMError) {
    address = try calling("mmap") { () throws(Errno) in
      try SystemCall.mapForReading(descriptor, offset: offset, size: size)
    }
    self.size = size
    whole = UnsafeMutableRawBufferPointer(start: address, count: size)
  }

  deinit {
    if let start = whole.baseAddress { SystemCall.unmap(start, size: whole.count) }
  }

  public var bytes: UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: address, count: size)
  }
}
