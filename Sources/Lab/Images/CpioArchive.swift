// SPDX-License-Identifier: Apache-2.0

/// A cpio archive in the `newc` format, which Linux unpacks as its initramfs
/// (Documentation/driver-api/early-userspace/buffer-format.rst).
///
/// The bytes depend on the entries and nothing else: no times, no owners, no host inodes.
public struct CpioArchive: Sendable {
  private(set) var bytes: [UInt8] = []
  private var nextInode: UInt32 = 1

  public init() {}

  public mutating func addDirectory(_ path: String) {
    add(path, mode: 0o040755, links: 2, contents: [])
  }

  public mutating func addFile(_ path: String, _ contents: [UInt8], permissions: UInt32 = 0o644) {
    add(path, mode: 0o100000 | permissions, links: 1, contents: contents)
  }

  public mutating func addLink(_ path: String, to target: String) {
    add(path, mode: 0o120777, links: 1, contents: Array(target.utf8))
  }

  public mutating func addCharacterDevice(_ path: String, major: UInt32, minor: UInt32) {
    add(path, mode: 0o020600, links: 1, contents: [], device: (major, minor))
  }

  /// The whole archive, ended as cpio wants it.
  public consuming func finish() -> [UInt8] {
    nextInode = 0
    add("TRAILER!!!", mode: 0, links: 1, contents: [])
    return bytes
  }

  private mutating func add(
    _ path: String, mode: UInt32, links: UInt32, contents: [UInt8],
    device: (major: UInt32, minor: UInt32) = (0, 0)
  ) {
    let name = Array(path.utf8) + [0]
    let fields: [UInt32] = [
      nextInode, mode, 0, 0, links, 0, UInt32(contents.count), 0, 0,
      device.major, device.minor, UInt32(name.count), 0,
    ]
    nextInode += 1
    bytes += "070701".utf8
    for field in fields { appendHexadecimal(field) }
    bytes += name
    pad()
    bytes += contents
    pad()
  }

  private mutating func appendHexadecimal(_ value: UInt32) {
    for shift in stride(from: 28, through: 0, by: -4) {
      let digit = UInt8(truncatingIfNeeded: value >> UInt32(shift)) & 0xf
      bytes.append(digit < 10 ? 0x30 + digit : 0x37 + digit)
    }
  }

  /// Names and contents start at multiples of four.
  private mutating func pad() {
    while bytes.count % 4 != 0 { bytes.append(0) }
  }
}
