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
      if answer.eax != 0 { answer.ebx = processor.cpuid(0xd, 0).ebx }
    default: break
    }
    return answer
  }
}
