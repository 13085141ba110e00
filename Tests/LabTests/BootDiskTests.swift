// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Lab

@Suite struct BootDiskTests {
  /// A kernel with two sectors of setup and 600 bytes behind them.
  private var kernel: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 2 * 512) + [UInt8](repeating: 0x4b, count: 600)
    bytes[0x1f1] = 1
    bytes.replaceSubrange(0x202..<0x206, with: "HdrS".utf8)
    bytes[0x211] = 1
    return bytes
  }

  private func disk(commandLine: String = "quiet") throws -> [UInt8] {
    try BootDisk(
      sector: [UInt8](repeating: 0xb0, count: 512), kernel: kernel, commandLine: commandLine,
      initramfs: [UInt8](repeating: 0x49, count: 1025)
    ).bytes
  }

  private func word(_ bytes: [UInt8], _ offset: Int) -> UInt32 {
    bytes[offset..<offset + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
  }

  @Test("The first sector lists each part's first block, its blocks and its address")
  func list() throws {
    let bytes = try disk()
    #expect(
      (0..<12).map { word(bytes, 0x1c0 + 4 * $0) } == [
        1, 2, 0x90000, 3, 1, 0x9e000, 4, 2, 0x100000, 6, 3, 0x1000_0000,
      ])
    #expect(bytes[4 * 512] == 0x4b)
    #expect(bytes[6 * 512 + 1024] == 0x49)
    #expect(bytes.count % (16 * 63 * 512) == 0)
  }

  @Test("The kernel's header says who loads it, and where initramfs and command line are")
  func header() throws {
    let setup = Array(try disk()[512...])
    #expect(setup[0x210] == 0xff)
    #expect(setup[0x211] == 0x81)
    #expect(word(setup, 0x218) == 0x1000_0000)
    #expect(word(setup, 0x21c) == 1025)
    #expect(word(setup, 0x224) & 0xffff == 0xde00)
    #expect(word(setup, 0x228) == 0x9e000)
  }

  @Test("A command line that does not fit is refused, and so is a file that is no kernel")
  func refusals() {
    #expect(throws: LabError.self) { try disk(commandLine: String(repeating: "x", count: 2048)) }
    #expect(throws: LabError.self) {
      try BootDisk(
        sector: [UInt8](repeating: 0, count: 512), kernel: [UInt8](repeating: 0, count: 4096),
        commandLine: "", initramfs: [])
    }
  }
}
