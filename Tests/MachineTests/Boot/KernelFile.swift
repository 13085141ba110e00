// SPDX-License-Identifier: Apache-2.0
@testable import Machine

/// A bzImage for tests, written from Linux's Documentation/arch/x86/boot.rst, not from the reader
/// under test: three setup sectors, 2,048 bytes of kernel, protocol 2.15.
struct KernelFile {
  var bytes: [UInt8]

  static let setupSize = 4 * 512
  static let kernelSize = 2048

  init() {
    bytes = [UInt8](repeating: 0, count: Self.setupSize + Self.kernelSize)
    bytes[0x1f1] = 3  // setup_sects
    set(0x1f4, [0x80, 0, 0, 0])  // syssize: 2,048 / 16
    set(0x1fe, [0x55, 0xaa])
    set(0x200, [0xeb, 0x6a])  // jmp to 0x26c
    set(0x202, Array("HdrS".utf8))
    set(0x206, [0x0f, 0x02])
    bytes[0x211] = 0x01  // LOADED_HIGH
    set(0x22c, [0xff, 0xff, 0xff, 0x7f])  // initrd_addr_max
    set(0x236, [0x01, 0x00])  // XLF_KERNEL_64
    set(0x238, [0xff, 0x07, 0, 0])  // cmdline_size: 2,047
    set(0x258, [0, 0, 0, 0x01, 0, 0, 0, 0])  // pref_address: 16 MiB
    set(0x260, [0, 0, 0x40, 0])  // init_size: 4 MiB
    for index in 0..<Self.kernelSize {
      bytes[Self.setupSize + index] = UInt8(truncatingIfNeeded: index &* 7 &+ 1)
    }
  }

  mutating func set(_ offset: Int, _ new: [UInt8]) {
    bytes.replaceSubrange(offset..<(offset + new.count), with: new)
  }
}
