// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Lab

@Suite struct MonitorImageCheckTests {
  private func disassembly(_ extra: String) -> String {
    String(repeating: "  100010:\tmov    %rax,%rbx\n", count: 200) + extra
  }

  @Test("Plain integer code passes, and so does saving the guest's own state")
  func passes() {
    for extra in ["", "  100020:\tfxsave64 (%rdi)\n", "  100020:\txrstor (%rdi)\n"] {
      #expect(MonitorImageCheck.judge(disassembly: disassembly(extra)).passed)
    }
  }

  @Test(
    "An x87 or vector instruction fails",
    arguments: [
      "fldt   0x10(%rsp)", "movaps %xmm0,(%rdi)", "vmovdqu (%rsi),%ymm1", "movq   %mm0,%rax",
      "fistpll 0x8(%rsp)", "emms",
    ])
  func fails(instruction: String) {
    #expect(
      !MonitorImageCheck.judge(disassembly: disassembly("  100020:\t\(instruction)\n")).passed)
  }

  @Test("A disassembly with next to nothing in it is a failure, not a clean one")
  func empty() { #expect(!MonitorImageCheck.judge(disassembly: "").passed) }

  private let text = ELFSegment(
    address: 0x10_0000, fileOffset: 0, size: 0x1000, isWritable: false, isExecutable: true)
  /// The header's magic, as apus.h has it, in little-endian order.
  private let file: [UInt8] = [0x41, 0x50, 0x55, 0x53]

  @Test("Segments where the driver expects them pass")
  func segments() {
    var data = text
    (data.address, data.isWritable, data.isExecutable) = (0x10_1000, true, false)
    #expect(MonitorImageCheck.judge(segments: [text, data], of: file).passed)
  }

  @Test("A segment that can be written and executed fails, and so does one out of place")
  func badSegments() {
    let changes: [(inout ELFSegment) -> Void] = [
      { $0.isWritable = true }, { $0.address = 0xf_f000 }, { $0.address = 0x1f_f001 },
      { $0.address = 0x10_0010 }, { $0.size = 256 << 10 },
    ]
    for change in changes {
      var segment = text
      change(&segment)
      #expect(!MonitorImageCheck.judge(segments: [segment], of: file).passed)
    }
    #expect(!MonitorImageCheck.judge(segments: [text], of: [0, 0, 0, 0]).passed)
    #expect(!MonitorImageCheck.judge(segments: [], of: file).passed)
  }

  @Test("The loaded segments of an ELF file are found, and others are not")
  func elf() throws {
    var file = [UInt8](repeating: 0, count: 64 + 2 * 56)
    func put(_ bytes: [UInt8], at offset: Int) {
      file.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
    }
    put([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1], at: 0)
    put([64], at: 0x20)
    put([56], at: 0x36)
    put([2], at: 0x38)
    put([4], at: 64)  // PT_NOTE
    put([1, 0, 0, 0, 6], at: 120)  // PT_LOAD, readable and writable
    put([0x00, 0x20], at: 120 + 8)
    put([0x00, 0x00, 0x12], at: 120 + 16)
    put([0x34, 0x12], at: 120 + 40)
    #expect(
      try ELFSegment.all(in: file, named: "x") == [
        ELFSegment(
          address: 0x12_0000, fileOffset: 0x2000, size: 0x1234, isWritable: true,
          isExecutable: false)
      ])
    #expect(throws: LabError.self) { try ELFSegment.all(in: Array(file.dropLast()), named: "x") }
    #expect(throws: LabError.self) { try ELFSegment.all(in: [0x7f], named: "x") }
  }
}
