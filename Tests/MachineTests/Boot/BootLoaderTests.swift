// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Machine

@Suite("The boot loader")
struct BootLoaderTests {
  private static let mebibyte: UInt64 = 1 << 20

  private func loader(
    initrd: Int = 0, commandLine: String = "", memory: UInt64, file: KernelFile = KernelFile()
  ) throws -> BootLoader {
    try BootLoader(
      image: try LinuxImage(file.bytes), commandLine: commandLine,
      initrd: [UInt8](repeating: 0xab, count: initrd), memorySize: memory)
  }

  @Test("keeps the kernel's room, from its preferred address on")
  func kernelRange() throws {
    let loader = try loader(memory: 64 * Self.mebibyte)
    #expect(loader.kernelRange == 0x100_0000..<0x140_0000)
    #expect(loader.initrdRange == nil)
  }

  @Test("puts the initial RAM disk on whole pages at the top of memory")
  func initrdAtTop() throws {
    let loader = try loader(initrd: 5000, memory: 64 * Self.mebibyte)
    #expect(loader.initrdRange == 0x3ff_e000..<0x3ff_f388)
  }

  @Test("heeds the highest address that the kernel allows the RAM disk")
  func initrdMaximum() throws {
    let loader = try loader(initrd: 4096, memory: 3 << 30)
    #expect(loader.initrdRange == 0x7fff_f000..<0x8000_0000)
  }

  @Test("refuses memory in which kernel and RAM disk do not fit, and says what would do")
  func tooSmall() {
    let needed: UInt64 = 0x140_0000 + 0x10_0000
    #expect(throws: BootError.memoryTooSmall(bytes: 20 << 20, needed: needed)) {
      try loader(initrd: 1 << 20, memory: 20 << 20)
    }
    #expect(throws: Never.self) { try loader(initrd: 1 << 20, memory: 21 << 20) }
    let message = "\(BootError.memoryTooSmall(bytes: 20 << 20, needed: needed))"
    #expect(message.contains("--memory 64M"))
  }

  @Test("refuses a command line longer than the kernel takes")
  func commandLine() {
    #expect(throws: BootError.commandLineTooLong(bytes: 2048, limit: 2047)) {
      try loader(
        commandLine: String(repeating: "x", count: 2048), memory: 64 * Self.mebibyte)
    }
    #expect(throws: Never.self) {
      try loader(
        commandLine: String(repeating: "x", count: 2047), memory: 64 * Self.mebibyte)
    }
  }

  @Test("writes kernel, command line, RAM disk, tables and parameters where the map says")
  func load() throws {
    let loader = try loader(initrd: 3, commandLine: "a b", memory: 32 * Self.mebibyte)
    let memory = try GuestRAM(size: 32 * Self.mebibyte)
    loader.load(into: memory, virtualCPUs: 1)
    func bytes(_ address: UInt64, _ count: UInt64) -> [UInt8] {
      Array(memory.bytes(address..<(address + count)))
    }
    #expect(bytes(0x100_0000, 4) == [1, 8, 15, 22])
    #expect(bytes(0x2_0000, 4) == [0x61, 0x20, 0x62, 0])
    #expect(bytes(0x1ff_f000, 4) == [0xab, 0xab, 0xab, 0])
    #expect(bytes(0xe_0000, 8) == Array("RSD PTR ".utf8))
    #expect(bytes(0x7000 + 0x202, 4) == Array("HdrS".utf8))
    #expect(bytes(0x9000, 8) == [0x03, 0xa0, 0, 0, 0, 0, 0, 0])
    #expect(bytes(0x510, 8) == [0xff, 0xff, 0, 0, 0, 0x9b, 0xaf, 0])
  }
}
