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
    if let site = unsafe knownSite, unsafe instruction.begins(site.pointee.low) {
      return UInt64(instruction.length)
    }
    return lengthWithPrefixes(instruction)
  }

  @inline(never)
  private func lengthWithPrefixes(_ instruction: ExitingInstruction) -> UInt64 {
    let mode = codeSize
    let bytes = fetchInstruction(mode)
    let prefixes = instruction.begins(bytes.low) ? 0 : bytes.prefixLength(mode)
    return prefixes + UInt64(instruction.length)
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
