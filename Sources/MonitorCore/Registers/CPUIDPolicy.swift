// SPDX-License-Identifier: Apache-2.0
import X86

/// CPUID as the guest sees it: the client's leaves, with what changes while it runs.
extension VirtualCPU {
  @inline(__always)
  func cpuid(_ function: UInt32, _ index: UInt32) -> CPUIDRegisters {
    var answer = cpuidTable.answer(function, index)
    switch function {
    case 1:
      answer.ecx = answer.ecx & ~(1 << 27) | (unit.hasExtendedStateEnabled ? 1 << 27 : 0)
      if !state.apic.base.isEnabled { answer.edx &= ~(1 << 9) }
    case 0xd where index == 0:
      // The size for the components that XCR0 has on: the real one is the guest's own.
      if answer.eax != 0 {
        answer.ebx = processor.cpuid(0xd, 0).ebx
        answer.ecx = standardSize(of: answer.eax)
      }
    // XSAVEC or XSAVES: the size in their format, which follows XCR0 too. The processor's own
    // answer would count what IA32_XSS of the host has on.
    case 0xd where index == 1:
      if answer.eax & 0b1010 != 0 {
        answer.ebx = compactedSize(of: UInt32(truncatingIfNeeded: processor.xcr0))
      }
    default: break
    }
    return answer
  }

  /// The legacy region and the header: the components 0 and 1, and the bitmaps.
  private static var leastExtendedState: UInt32 { 576 }

  /// Bytes of an XSAVE area that has all of `components`, by their places. SDM vol. 1, 13.4.
  private func standardSize(of components: UInt32) -> UInt32 {
    extendedStateSize(of: components) { size, component in
      max(size, component.ebx &+ component.eax)
    }
  }

  /// Bytes of an XSAVE area in compacted format: one component after another, aligned to 64 bytes
  /// where bit 1 of ECX says so. SDM vol. 1, 13.4.3.
  private func compactedSize(of components: UInt32) -> UInt32 {
    extendedStateSize(of: components) { size, component in
      (component.ecx & 2 != 0 ? (size &+ 63) & ~63 : size) &+ component.eax
    }
  }

  /// `add` says the size with one component more, from its leaf.
  @inline(__always)
  private func extendedStateSize(
    of components: UInt32, _ add: (UInt32, CPUIDRegisters) -> UInt32
  ) -> UInt32 {
    var size = Self.leastExtendedState
    var left = components & ~0b11
    while left != 0 {
      size = add(size, cpuidTable.answer(0xd, UInt32(left.trailingZeroBitCount)))
      left &= left &- 1
    }
    return size
  }
}
