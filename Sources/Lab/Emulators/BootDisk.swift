// SPDX-License-Identifier: Apache-2.0

/// A disk from which a PC's firmware starts a kernel: the sector of Sources/BootDisk, which reads
/// the rest into memory and enters the kernel as a boot loader does.
struct BootDisk {
  /// Where the kernel's setup lies, and above it the command line (Linux's
  /// Documentation/arch/x86/boot.rst: the stack and heap of the setup end below that).
  static let setup: UInt32 = 0x9_0000
  static let commandLine: UInt32 = 0x9_e000
  static let longestCommandLine = 2048
  static let kernel: UInt32 = 0x10_0000
  /// Beyond what the kernel needs while it unpacks itself.
  static let initramfs: UInt32 = 0x1000_0000
  /// In the first sector.
  static let list = 0x1c0

  static let sectorSize = 512
  /// The firmware's idea of a disk: 16 heads of 63 sectors.
  static let cylinderSize = 16 * 63 * sectorSize

  private(set) var bytes: [UInt8]

  /// `sector` as `make boot-sector` makes it; `kernel` is a bzImage of boot protocol 2.02 or later.
  init(
    sector: [UInt8], kernel: [UInt8], commandLine: String, initramfs: [UInt8]
  ) throws(LabError) {
    guard sector.count == Self.sectorSize else {
      throw .malformed(file: "the boot sector", reason: "has \(sector.count) bytes")
    }
    guard kernel.count > 0x268, kernel[0x202..<0x206].elementsEqual("HdrS".utf8) else {
      throw .malformed(file: "the kernel", reason: "is no bzImage")
    }
    guard commandLine.utf8.count < Self.longestCommandLine else {
      throw .malformed(file: "the kernel's command line", reason: "is too long")
    }
    // The setup's sectors after the first one; 0 means 4.
    let setupEnd = (1 + (kernel[0x1f1] == 0 ? 4 : Int(kernel[0x1f1]))) * Self.sectorSize
    var setup = Array(kernel[..<setupEnd])
    setup[0x210] = 0xff  // a boot loader without a number
    setup[0x211] |= 1 << 7  // heap_end_ptr is valid
    Self.put(UInt16(0xde00), at: 0x224, in: &setup)  // heap_end_ptr, less 0x200
    Self.put(Self.initramfs, at: 0x218, in: &setup)
    Self.put(UInt32(initramfs.count), at: 0x21c, in: &setup)
    Self.put(Self.commandLine, at: 0x228, in: &setup)

    bytes = sector
    let parts: [([UInt8], UInt32)] = [
      (setup, Self.setup), (Array(commandLine.utf8) + [0], Self.commandLine),
      (Array(kernel[setupEnd...]), Self.kernel), (initramfs, Self.initramfs),
    ]
    for (index, (part, address)) in parts.enumerated() {
      let blocks = (part.count + Self.sectorSize - 1) / Self.sectorSize
      let entry = [UInt32(bytes.count / Self.sectorSize), UInt32(blocks), address]
      for (word, value) in entry.enumerated() {
        Self.put(value, at: Self.list + 12 * index + 4 * word, in: &bytes)
      }
      bytes += part
      pad(to: Self.sectorSize)
    }
    pad(to: Self.cylinderSize)
  }

  private mutating func pad(to size: Int) {
    bytes += [UInt8](repeating: 0, count: (size - bytes.count % size) % size)
  }

  private static func put(
    _ value: some FixedWidthInteger, at offset: Int, in bytes: inout [UInt8]
  ) {
    withUnsafeBytes(of: value.littleEndian) { raw in
      for (index, byte) in raw.enumerated() { bytes[offset + index] = byte }
    }
  }
}
