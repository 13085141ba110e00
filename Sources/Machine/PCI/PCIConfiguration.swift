// SPDX-License-Identifier: Apache-2.0

/// The 256 bytes by which a PCI function is found and set up (PCI Local Bus Specification 3.0, 6).
struct PCIConfiguration {
  static let size = 256

  private(set) var bytes = [UInt8](repeating: 0, count: Self.size)
  /// The bits that the guest may change.
  private var writable = [UInt8](repeating: 0, count: Self.size)
  /// Where the next capability goes, and where its address is to be written.
  private var end = 0x40
  private var link = 0x34

  /// `classCode`: class and subclass.
  init(vendor: UInt16, device: UInt16, classCode: UInt16, subsystem: UInt16 = 0) {
    bytes.store(vendor, at: 0x00)
    bytes.store(device, at: 0x02)
    // The revision: of a device that is not transitional (Virtual I/O Device 1.2, 4.1.2).
    bytes[0x08] = 1
    bytes.store(classCode, at: 0x0a)
    bytes.store(vendor, at: 0x2c)
    bytes.store(subsystem, at: 0x2e)
    // Command: memory, bus master, no interrupt pin (there is none).
    writable.store(UInt16(1 << 1 | 1 << 2 | 1 << 10), at: 0x04)
    writable[0x3c] = 0xff
  }

  /// Base address 0: memory of `size` bytes, a power of two, in 32 bits.
  mutating func setMemory(at address: UInt32, size: UInt32) {
    precondition(size & (size - 1) == 0 && address % size == 0)
    bytes.store(address, at: 0x10)
    writable.store(~(size - 1), at: 0x10)
    bytes.store(UInt16(1 << 1), at: 0x04)
  }

  /// Where the guest has been told of it: the address.
  mutating func addCapability(_ identifier: UInt8, body: [UInt8], writable mask: [UInt8] = [])
    -> Int
  {
    let start = end
    bytes[0x06] |= 1 << 4  // there is a list
    bytes[link] = UInt8(start)
    link = start + 1
    bytes[start] = identifier
    bytes.replaceSubrange((start + 2)..<(start + 2 + body.count), with: body)
    writable.replaceSubrange((start + 2)..<(start + 2 + mask.count), with: mask)
    end = (start + 2 + body.count + 3) & ~3
    return start
  }

  /// All ones beyond the end.
  func read(_ offset: Int, size: Int) -> UInt64 {
    bytes.number(at: offset, size: size, missing: 0xff)
  }

  mutating func write(_ offset: Int, _ value: UInt64, size: Int) {
    for index in 0..<size where offset + index < Self.size {
      let byte = UInt8(truncatingIfNeeded: value >> (8 * UInt64(index)))
      let mask = writable[offset + index]
      bytes[offset + index] = bytes[offset + index] & ~mask | byte & mask
    }
  }
}
