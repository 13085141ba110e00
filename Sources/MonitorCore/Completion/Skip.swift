// SPDX-License-Identifier: Apache-2.0
import Emulator
import X86

/// The end of an instruction that the monitor has executed.
extension VirtualCPU {
  /// Steps over the instruction that exited.
  @inline(__always)
  func skip(_ instruction: ExitingInstruction) {
    var length = unit.exitInstructionLength
    if length == 0 { length = lengthInMemory(instruction) }
    finishInstruction(at: unit.exitInstructionPointer &+ length)
  }

  /// Where the processor does not say: SVM without NRIP.
  @inline(never)
  private func lengthInMemory(_ instruction: ExitingInstruction) -> UInt64 {
    let length = instruction.length
    if beginsWith(instruction.opcode, size: length) { return UInt64(length) }
    return prefixLength() + UInt64(length)
  }

  /// Bytes of prefixes of the current instruction.
  private func prefixLength() -> UInt64 {
    let mode = codeSize
    return fetchInstruction(mode).prefixLength(mode)
  }

  /// Goes on behind an instruction that the monitor has executed. Only 64-bit code has addresses above
  /// 4 GiB, and nothing else comes from below to above.
  @inline(__always)
  func finishInstruction(at next: UInt64) {
    var next = next
    if (next ^ unit.exitInstructionPointer) >> 32 != 0, !isLongMode { next &= 0xffff_ffff }
    unit.completeInstruction(next: next)
  }
}
