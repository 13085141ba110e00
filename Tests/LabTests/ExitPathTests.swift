// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Lab

@Suite struct ExitPathTests {
  /// `runGuest` calls `served`, hands `told` on by its address and jumps to `last`; nothing calls
  /// `client`.
  static let text = """
    0000000000102000 <VirtualCPU.runGuest()>:
      102000:\tpush   %rbx
      102001:\tcall   102010 <served>
      102006:\tmov    $0x102020,%eax
      10200b:\tjmp    102030 <last+0x2>

    0000000000102010 <served>:
      102010:\tsub    $0x108,%rsp
      102017:\trep movsb %ds:(%rsi),%es:(%rdi)
      102019:\tret

    0000000000102020 <told>:
      102020:\tcall   102050 <memcpy>
      102025:\tret

    000000000010202e <last>:
      10202e:\tjmp    *%rax
      102030:\tjmp    *0x11f000(,%rax,8)

    0000000000102040 <client>:
      102040:\trep stos %al,%es:(%rdi)
      102042:\tret

    0000000000102050 <memcpy>:
      102050:\trep movsb %ds:(%rsi),%es:(%rdi)
      102052:\tret

    """

  private func path(_ exceptions: [String] = []) -> ExitPath {
    ExitPath(
      disassembly: Disassembly(text: Self.text),
      exceptions: exceptions.map { .init(function: $0, reason: "a test") })
  }

  @Test("Copies, large frames and jumps to unknown places are found where runGuest gets to")
  func offences() {
    let (functions, offences) = path().check()
    #expect(functions == 4)
    #expect(
      offences.map(\.problem) == [
        "has a frame of 264 bytes",
        "copies at 0x102017: rep movsb %ds:(%rsi),%es:(%rdi)",
        "calls memcpy at 0x102020",
        "goes where nobody sees at 0x102030: jmp *0x11f000(,%rax,8)",
      ])
    #expect(offences.first?.calls == ["VirtualCPU.runGuest()", "served"])
    #expect(offences[2].calls == ["VirtualCPU.runGuest()", "told"])
  }

  @Test("What only an exception reaches is off the path")
  func exceptions() {
    let offences = path(["served", "told"]).check().offences
    #expect(offences.map(\.calls.last) == ["last"])
  }

  @Test("An exception for a function that is gone is found")
  func idle() {
    #expect(path(["served"]).idleExceptions.isEmpty)
    #expect(path(["gone"]).idleExceptions.map(\.function) == ["gone"])
  }

  @Test("A path that was not found is no path without copies")
  func nothing() {
    let empty = ExitPath(disassembly: Disassembly(text: ""), exceptions: [])
    #expect(!MonitorImageCheck.judge(empty).check.passed)
  }

  @Test("An address belongs to the function before it")
  func lookUp() {
    let disassembly = Disassembly(text: Self.text)
    #expect(disassembly.function(at: 0x10200b)?.name == "VirtualCPU.runGuest()")
    #expect(disassembly.function(at: 0x102010)?.name == "served")
    #expect(disassembly.function(at: 0x101fff) == nil)
  }

  @Test("A profile adds up the instructions of a function")
  func profile() {
    let profile = FunctionProfile(
      of: "cpuid", vendor: "amd", exits: 2,
      counts: [0x102000: 2, 0x102001: 2, 0x102010: 20, 0x10: 2],
      in: Disassembly(text: Self.text))
    #expect(
      profile.rows == [
        .init(function: "served", instructions: 10),
        .init(function: "VirtualCPU.runGuest()", instructions: 2),
        .init(function: "?", instructions: 1),
      ])
    #expect(profile.total == 13)
    #expect(profile.table(rows: 1).contains("2 others"))
  }
}
