// SPDX-License-Identifier: Apache-2.0

/// What answers accesses to a range of ports or addresses. Accesses come from every vCPU's thread.
protocol Device: AnyObject, Sendable {
  /// `offset` from the start of the range; `size` is 1, 2, 4 or 8 bytes. Bits above it are cut.
  func read(_ offset: Int, size: Int) -> UInt64
  func write(_ offset: Int, _ value: UInt64, size: Int)
}

/// A device whose registers are single bytes: wider accesses touch several.
protocol ByteDevice: Device {
  func read(_ register: Int) -> UInt8
  func write(_ register: Int, _ value: UInt8)
}

extension ByteDevice {
  func read(_ offset: Int, size: Int) -> UInt64 {
    (0..<size).reduce(0) { $0 | UInt64(read(offset + $1)) << (8 * UInt64($1)) }
  }

  func write(_ offset: Int, _ value: UInt64, size: Int) {
    for byte in 0..<size {
      write(offset + byte, UInt8(truncatingIfNeeded: value >> (8 * UInt64(byte))))
    }
  }
}
