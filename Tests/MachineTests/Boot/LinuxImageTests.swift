// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Machine

@Suite("A bzImage")
struct LinuxImageTests {
  @Test("gives its header, its kernel and what the kernel asks for")
  func good() throws {
    let file = KernelFile()
    let image = try LinuxImage(file.bytes)
    #expect(image.protocolVersion == 0x020f)
    #expect(image.preferredAddress == 0x100_0000)
    #expect(image.entry == 0x100_0200)
    #expect(image.initialSize == 0x40_0000)
    #expect(image.initrdMaximum == 0x7fff_ffff)
    #expect(image.commandLineMaximum == 2047)
    #expect(Array(image.setupHeader) == Array(file.bytes[0x1f1..<0x26c]))
    #expect(Array(image.kernel) == Array(file.bytes[2048...]))
  }

  @Test("cut at any length is refused, and no length makes the reader fail otherwise")
  func truncated() {
    let file = KernelFile().bytes
    // syssize counts units of 16 bytes: the last unit may be cut short.
    for length in 0...(file.count - 16) {
      #expect(throws: LinuxImageError.self, "\(length) bytes") {
        try LinuxImage(Array(file[..<length]))
      }
    }
    #expect(throws: Never.self) { try LinuxImage(Array(file[..<(file.count - 15)])) }
  }

  @Test("cut short says how many bytes are missing")
  func truncatedMessage() {
    let file = KernelFile().bytes
    #expect(throws: LinuxImageError.truncated(bytes: 3000, needed: 4096)) {
      try LinuxImage(Array(file[..<3000]))
    }
    #expect(throws: LinuxImageError.tooShort(bytes: 0x267)) {
      try LinuxImage(Array(file[..<0x267]))
    }
  }

  @Test("may be followed by a signature")
  func trailing() throws {
    let file = KernelFile().bytes + [1, 2, 3]
    #expect(try LinuxImage(file).kernel.count == 2048)
  }

  @Test(
    "without one of its two signatures is no Linux",
    arguments: [0x1fe, 0x1ff, 0x202, 0x203, 0x204, 0x205])
  func badMagic(offset: Int) {
    var file = KernelFile()
    file.bytes[offset] ^= 0x20
    #expect(throws: LinuxImageError.notLinux) { try LinuxImage(file.bytes) }
  }

  @Test("of a protocol before 2.12 has no 64-bit entry to rely on")
  func oldProtocol() {
    var file = KernelFile()
    file.set(0x206, [0x0b, 0x02])
    #expect(throws: LinuxImageError.oldProtocol(version: 0x020b)) { try LinuxImage(file.bytes) }
  }

  @Test("that loads low or has no 64-bit entry is refused by name")
  func unsuitable() {
    var low = KernelFile()
    low.bytes[0x211] = 0
    #expect(throws: LinuxImageError.notBigImage) { try LinuxImage(low.bytes) }
    var narrow = KernelFile()
    narrow.bytes[0x236] = 0
    #expect(throws: LinuxImageError.not64Bit) { try LinuxImage(narrow.bytes) }
  }

  @Test("whose header ends before its fields or beyond boot_params is malformed")
  func malformedHeader() {
    for jump: UInt8 in [0x00, 0x65, 0x8f, 0xff] {
      var file = KernelFile()
      file.bytes[0x201] = jump
      #expect(throws: LinuxImageError.malformedHeader(end: 0x202 + Int(jump))) {
        try LinuxImage(file.bytes)
      }
    }
  }

  @Test("that would lie below 1 MiB, or is smaller unpacked than packed, is malformed")
  func malformedAddress() {
    var low = KernelFile()
    low.set(0x258, [0, 0, 0x0f, 0])
    #expect(throws: LinuxImageError.malformedHeader(end: 0x26c)) { try LinuxImage(low.bytes) }
    var small = KernelFile()
    small.set(0x260, [0xff, 0x07, 0, 0])
    #expect(throws: LinuxImageError.malformedHeader(end: 0x26c)) { try LinuxImage(small.bytes) }
  }

  @Test("with 0 setup sectors has four, as the protocol says")
  func zeroSectors() throws {
    var file = KernelFile()
    file.bytes[0x1f1] = 0
    file.bytes += [UInt8](repeating: 0xee, count: 512)
    #expect(try LinuxImage(file.bytes).kernel.first == file.bytes[5 * 512])
  }
}
