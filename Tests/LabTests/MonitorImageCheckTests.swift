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
}
