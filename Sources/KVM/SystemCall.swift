// SPDX-License-Identifier: Apache-2.0
import Glibc
import SystemPackage

/// The only caller of libc's `ioctl`, `mmap` and `munmap` in this module, and of `ioctl` for those that import it.
package enum SystemCall {
  /// `ioctl(2)` with an integer argument. Interrupted calls are repeated: only KVM_RUN gives
  /// EINTR a meaning, and that has a function of its own.
  @discardableResult
  package static func ioctl(
    _ descriptor: FileDescriptor, _ request: UInt32, _ argument: UInt = 0
  ) throws(Errno) -> Int32 {
    while true {
      do {
        return try once(descriptor, request, argument)
      } catch {
        guard error == .interrupted else { throw error }
      }
    }
  }

  /// `ioctl(2)` with a pointer to `value`, which the kernel may read, write or both.
  @discardableResult
  package static func ioctl<Value>(
    _ descriptor: FileDescriptor, _ request: UInt32, with value: inout Value
  ) throws(Errno) -> Int32 {
    try withUnsafeMutablePointer(to: &value) { pointer throws(Errno) in
      try ioctl(descriptor, request, UInt(bitPattern: pointer))
    }
  }

  /// `ioctl(2)`, returning also when a signal interrupted it.
  static func once(
    _ descriptor: FileDescriptor, _ request: UInt32, _ argument: UInt = 0
  ) throws(Errno) -> Int32 {
    let result: Int32
    if let pointer = UnsafeMutableRawPointer(bitPattern: argument) {
      result = Glibc.ioctl(descriptor.rawValue, UInt(request), pointer)
    } else {
      result = Glibc.ioctl(descriptor.rawValue, UInt(request), 0 as CInt)
    }
    guard result >= 0 else { throw Errno(rawValue: errno) }
    return result
  }

  /// Maps `size` bytes of a file from its start, shared, for reading and writing.
  static func map(_ descriptor: FileDescriptor, size: Int) throws(Errno) -> UnsafeMutableRawPointer
  {
    let address = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor.rawValue, 0)
    guard let address, address != MAP_FAILED else { throw Errno(rawValue: errno) }
    return address
  }

  /// Maps `size` bytes of a file from `offset` on, shared, for reading.
  static func mapForReading(
    _ descriptor: FileDescriptor, offset: Int, size: Int
  ) throws(Errno) -> UnsafeMutableRawPointer {
    let address = mmap(nil, size, PROT_READ, MAP_SHARED, descriptor.rawValue, offset)
    guard let address, address != MAP_FAILED else { throw Errno(rawValue: errno) }
    return address
  }

  /// Maps `size` bytes of zeroes that are not taken from the machine before they are touched.
  static func mapAnonymous(size: Int) throws(Errno) -> UnsafeMutableRawPointer {
    let address = mmap(
      nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let address, address != MAP_FAILED else { throw Errno(rawValue: errno) }
    return address
  }

  static func unmap(_ address: UnsafeMutableRawPointer, size: Int) {
    munmap(address, size)
  }

  /// Asks for huge pages. A kernel without them answers EINVAL, which costs speed and no more.
  static func adviseHugePages(_ address: UnsafeMutableRawPointer, size: Int) {
    madvise(address, size, MADV_HUGEPAGE)
  }

  static func close(_ descriptor: FileDescriptor) {
    _ = Glibc.close(descriptor.rawValue)
  }
}
