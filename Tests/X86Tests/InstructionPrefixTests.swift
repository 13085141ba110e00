// SPDX-License-Identifier: Apache-2.0
import Testing
import X86

@Suite("Prefixes")
struct InstructionPrefixTests {
  @Test(
    "Are counted alone, whatever follows them",
    arguments: [
      ("0fa2", .bits64, 0), ("480fa2", .bits64, 1), ("66480fa2", .bits64, 2),
      ("f30f01d9", .bits64, 1),
      ("2e3e2636646566f267f30f32", .bits64, 10), ("480fa2", .bits32, 0), ("400fa2", .bits16, 0),
      ("f0f00f30", .bits16, 2), ("", .bits64, 0), ("6666", .bits64, 2),
    ] as [(String, CodeSize, UInt64)])
  func length(text: String, mode: CodeSize, expected: UInt64) {
    let bytes = hexadecimal(text)
    var window: InlineArray<16, UInt8> = InlineArray(repeating: 0)
    for (index, byte) in bytes.enumerated() { window[index] = byte }
    #expect(InstructionDecoder.prefixLength(window, count: bytes.count, mode: mode) == expected)
  }

  @Test(
    "Change sizes and segments as the manual says",
    arguments: [
      // REX counts only right before the opcode, and the last one.
      ("48668b00", .bits64, "mov ax, word ptr [rax]"),
      ("66488b00", .bits64, "mov rax, qword ptr [rax]"),
      ("48408b00", .bits64, "mov eax, dword ptr [rax]"),
      ("4e668b00", .bits64, "mov ax, word ptr [rax]"),
      // A plain REX makes byte registers 4 to 7 the low bytes of RSP to RDI.
      ("408a20", .bits64, "mov spl, byte ptr [rax]"), ("8a20", .bits64, "mov ah, byte ptr [rax]"),
      ("408a38", .bits64, "mov dil, byte ptr [rax]"), ("8a38", .bits64, "mov bh, byte ptr [rax]"),
      // A byte is a byte.
      ("66488a00", .bits64, "mov al, byte ptr [rax]"),
      // The last segment counts; 64-bit code has only FS and GS.
      ("26648b00", .bits32, "mov eax, dword ptr fs:[eax]"),
      ("64268b00", .bits32, "mov eax, dword ptr es:[eax]"),
      ("2e8b00", .bits64, "mov eax, dword ptr [rax]"),
      ("642e8b00", .bits64, "mov eax, dword ptr fs:[rax]"),
      ("64658b00", .bits64, "mov eax, dword ptr gs:[rax]"),
      ("64aa", .bits64, "stosb byte ptr es:[rdi], al"),
      ("64aa", .bits32, "stosb byte ptr es:[edi], al"),
      // Ports are 4 bytes wide at most, and PUSH is 8 without REX.
      ("48ed", .bits64, "in eax, dx"), ("486f", .bits64, "outsd dx, dword ptr [rsi]"),
      ("ff30", .bits64, "push qword ptr [rax]"), ("66ff30", .bits64, "push word ptr [rax]"),
      // Repetition is the string instructions' alone; REPNE counts as REP.
      ("f38900", .bits64, "mov dword ptr [rax], eax"),
      ("f2a4", .bits16, "rep movsb byte ptr es:[di], byte ptr [si]"),
      // REX.B extends neither an absent base nor an absent index; REX.X does extend index 4.
      ("418b0500000000", .bits64, "mov eax, dword ptr [rip]"),
      ("418b042500000000", .bits64, "mov eax, dword ptr [0]"),
      ("428b0424", .bits64, "mov eax, dword ptr [rsp + r12]"),
      ("8b0424", .bits64, "mov eax, dword ptr [rsp]"),
      // Of a MOV to or from a control register, mod and the operand size are ignored.
      ("0f2000", .bits64, "mov rax, cr0"), ("660f20c0", .bits64, "mov rax, cr0"),
      ("0f22d8", .bits16, "mov cr3, eax"),
    ] as [(String, CodeSize, String)])
  func effects(bytes: String, mode: CodeSize, expected: String) throws {
    #expect(try parse(bytes, mode).assembly == expected)
  }
}
