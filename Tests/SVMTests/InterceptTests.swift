// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import SVM

@Suite("What exits")
struct InterceptTests {
  @Test("Intercepts of the first word have the bits of APM vol. 2, table B-1, offset 0xc")
  func firstWord() {
    #expect(Intercepts1.interrupt.rawValue == 0x1)
    #expect(Intercepts1.nonMaskableInterrupt.rawValue == 0x2)
    #expect(Intercepts1.virtualInterrupt.rawValue == 0x10)
    #expect(Intercepts1.cpuid.rawValue == 0x4_0000)
    #expect(Intercepts1.invd.rawValue == 0x40_0000)
    #expect(Intercepts1.halt.rawValue == 0x100_0000)
    #expect(Intercepts1.invlpga.rawValue == 0x400_0000)
    #expect(Intercepts1.ports.rawValue == 0x800_0000)
    #expect(Intercepts1.msrs.rawValue == 0x1000_0000)
    #expect(Intercepts1.shutdown.rawValue == 0x8000_0000)
  }

  @Test("Intercepts of the second word have the bits of offset 0x10")
  func secondWord() {
    #expect(Intercepts2.vmrun.rawValue == 0x1)
    #expect(Intercepts2.vmmcall.rawValue == 0x2)
    #expect(Intercepts2.vmload.rawValue == 0x4)
    #expect(Intercepts2.vmsave.rawValue == 0x8)
    #expect(Intercepts2.stgi.rawValue == 0x10)
    #expect(Intercepts2.clgi.rawValue == 0x20)
    #expect(Intercepts2.skinit.rawValue == 0x40)
    #expect(Intercepts2.wbinvd.rawValue == 0x200)
    #expect(Intercepts2.xsetbv.rawValue == 0x2000)
  }

  @Test("A guest on its own CPU takes interrupts and halts without an exit, but never an NMI")
  func direct() {
    let first = Intercepts1.direct.rawValue
    #expect(first & 1 << 0 == 0, "INTR")
    #expect(first & 1 << 24 == 0, "HLT")
    #expect(first & 1 << 1 != 0, "NMI")
    #expect(first & (1 << 27 | 1 << 28) == 1 << 27 | 1 << 28, "ports and MSRs")
    #expect(first & 1 << 31 != 0, "shutdown")
  }

  @Test("No instruction of SVM is the guest's")
  func virtualization() {
    // VMRUN, VMMCALL, VMLOAD, VMSAVE, STGI, CLGI, SKINIT; INVLPGA is in the first word.
    #expect(Intercepts2.direct.rawValue & 0x7f == 0x7f)
    #expect(Intercepts1.direct.rawValue & 1 << 26 != 0)
  }

  @Test("The exceptions that can loop inside the processor exit, and machine checks")
  func exceptions() {
    #expect(InterceptedExceptions.mask == 1 << 1 | 1 << 17 | 1 << 18)
  }
}
