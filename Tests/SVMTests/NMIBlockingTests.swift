// SPDX-License-Identifier: Apache-2.0
import Contract
import MonitorCore
import SVM
import Testing
import X86

/// Bits of the VMCB as APM vol. 2, appendix B and 15.21.4 have them.
@Suite("NMIs of a guest on SVM")
struct NMIBlockingTests {
  let pages: TestPages
  let unit: SVMUnit<PretendedInstructions>
  private let areas = TestPages.window()
  let nmi = Event(kind: .nonMaskable, vector: 2)

  init() {
    pages = areas.vcpuPage(APUS_VCPU_PAGE_VMCB)
    let vcpu = areas.vcpuPages
    vcpu.control.pointee.area = UInt64(UInt(bitPattern: vcpu.vcpuPage(0)))
    unit = .of(vcpu)
    unit.prepare(portBitmap: 0x2000, nestedRoot: 0x5000)
    pages[0x578, as: UInt64.self] = 0x1000
    pages[0x570, as: UInt64.self] = 2
  }

  /// An entry that ends with `code`.
  func enter(_ code: UInt64) -> Exit {
    var registers = GuestRegisters()
    pages[0xf00, as: UInt64.self] = code
    return unit.enter(&registers, unlessNMISince: 0)
  }
  var interceptsReturn: Bool { pages[0xc, as: UInt32.self] & 1 << 20 != 0 }
  var trap: Bool { pages[0x570, as: UInt64.self] & 1 << 8 != 0 }

  @Test("An NMI is blocked from the injection of one until its IRET is over")
  func blocked() {
    unit.injection = nmi
    #expect(unit.nmiBlocked && interceptsReturn)
    #expect(enter(0x74) == .interruptWindow)
    #expect(unit.nmiBlocked && !interceptsReturn)
    pages[0x578, as: UInt64.self] = 0x2000
    #expect(!unit.nmiBlocked && unit.acceptsNMI)
  }

  @Test("One that waits is stepped to behind the IRET, and nothing is left of the step")
  func step() {
    unit.nmiBlocked = true
    unit.nmiWindowExiting = true
    #expect(!trap, "the IRET exits first")
    #expect(enter(0x74) == .interruptWindow)
    pages[0x568, as: UInt64.self] = 0xffff_0ff0
    unit.nmiWindowExiting = true
    #expect(trap)
    // The IRET brought a TF of the guest's: it stays.
    pages[0x578, as: UInt64.self] = 0x2000
    pages[0x568, as: UInt64.self] = 0xffff_4ff0
    #expect(enter(0x41) == .interruptWindow)
    #expect(trap)
    #expect(unit.dr6 == 0xffff_0ff0)
    #expect(unit.acceptsNMI)
    #expect(pages[8, as: UInt32.self] == 1 << 1 | 1 << 17 | 1 << 18)
    #expect(!unit.haltExiting)
  }

  @Test(
    "A step behind STI or MOV SS ends with whatever exits, and the guest's TF is its own",
    arguments: [
      (0x41, .interruptWindow), (0x4e, .exception), (0x72, .cpuid), (0x61, .nonMaskableInterrupt),
      (0x78, .interruptWindow),
    ] as [(UInt64, Exit)])
  func shadow(code: UInt64, expected: Exit) {
    // An NMI that was over long ago.
    unit.injection = nmi
    _ = enter(0x74)
    pages[0x578, as: UInt64.self] = 0x2000
    unit.interruptShadow = true
    #expect(!unit.acceptsNMI)
    unit.nmiWindowExiting = true
    #expect(trap)
    pages[0x80, as: UInt64.self] = 0xdead_0000
    pages[0x568, as: UInt64.self] |= 1 << 14
    #expect(enter(code) == expected)
    #expect(!trap)
    if code == 0x4e { #expect(unit.cr2 == 0xdead_0000) }
    if code == 0x78 { #expect(unit.instructionPointer == 0x2001 && unit.acceptsNMI) }
  }

  @Test("A guest that single-steps itself gets its #DB")
  func guestSteps() {
    unit.interruptShadow = true
    pages[0x570, as: UInt64.self] |= 1 << 8
    unit.nmiWindowExiting = true
    #expect(enter(0x41) == .exception)
    #expect(trap)
  }

  /// APM vol. 2, 15.21.10: V_NMI 11, V_NMI_MASK 12, V_NMI_ENABLE 26.
  @Test("A processor with V_NMI keeps one, and blocks by itself")
  func virtualNMI() {
    unit.attach(hasGigabytePages: true, hasVirtualNMI: true)
    #expect(pages[0x60, as: UInt64.self] == 1 << 26)
    unit.injection = nmi
    #expect(!interceptsReturn)
    pages[0x60, as: UInt64.self] |= 1 << 12
    #expect(unit.nmiBlocked && !unit.acceptsNMI)
    #expect(unit.holdNMI())
    #expect(pages[0x60, as: UInt64.self] & 1 << 11 != 0)
    #expect(!unit.holdNMI(), "it has one")
    unit.holdsNMI = false
    unit.nmiBlocked = false
    #expect(pages[0x60, as: UInt64.self] == 1 << 26)
  }
}
