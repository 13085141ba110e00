// SPDX-License-Identifier: Apache-2.0
import Testing
import X86

@Suite("Registers and their bits")
struct RegisterTests {
  @Test("Control registers have the bits of SDM vol. 3, 2.5")
  func control() {
    #expect(CR0.protectionEnable.rawValue == 0x1)
    #expect(CR0.numericError.rawValue == 0x20)
    #expect(CR0.writeProtect.rawValue == 0x1_0000)
    #expect(CR0.paging.rawValue == 0x8000_0000)
    #expect(CR0.reset.rawValue == 0x6000_0010)
    #expect(CR4.pageSizeExtension.rawValue == 0x10)
    #expect(CR4.physicalAddressExtension.rawValue == 0x20)
    #expect(CR4.machineCheck.rawValue == 0x40)
    #expect(CR4.osFXSR.rawValue == 0x200)
    #expect(CR4.la57.rawValue == 0x1000)
    #expect(CR4.vmxEnable.rawValue == 0x2000)
    #expect(CR4.osXSAVE.rawValue == 0x4_0000)
    #expect(CR4.smep.rawValue == 0x10_0000)
    #expect(CR4.smap.rawValue == 0x20_0000)
  }

  @Test("EFER has the bits of APM vol. 2, 3.1.7, and a guest is never offered SVME")
  func efer() {
    #expect(EFER.systemCall.rawValue == 0x1)
    #expect(EFER.longModeEnable.rawValue == 0x100)
    #expect(EFER.longModeActive.rawValue == 0x400)
    #expect(EFER.noExecute.rawValue == 0x800)
    #expect(EFER.svmEnable.rawValue == 0x1000)
    #expect(EFER.fastFXSR.rawValue == 0x4000)
    #expect(EFER.offered(1 << 25).rawValue == 0x4d01)
    #expect(EFER.offered(~(1 << 25)).rawValue == 0xd01)
  }

  @Test("RFLAGS has the bits of SDM vol. 1, 3.4.3")
  func flags() {
    #expect(RFLAGS.alwaysOne.rawValue == 0x2)
    #expect(RFLAGS.carry.rawValue == 0x1)
    #expect(RFLAGS.parity.rawValue == 0x4)
    #expect(RFLAGS.auxiliaryCarry.rawValue == 0x10)
    #expect(RFLAGS.zero.rawValue == 0x40)
    #expect(RFLAGS.sign.rawValue == 0x80)
    #expect(RFLAGS.trap.rawValue == 0x100)
    #expect(RFLAGS.interruptEnable.rawValue == 0x200)
    #expect(RFLAGS.direction.rawValue == 0x400)
    #expect(RFLAGS.overflow.rawValue == 0x800)
    #expect(RFLAGS.resume.rawValue == 0x1_0000)
    #expect(RFLAGS.status.rawValue == 0x8d5)
  }

  @Test(
    "Local APIC registers are the MSRs of SDM vol. 3, table 11-6",
    arguments: [
      (.id, 0x802), (.version, 0x803), (.taskPriority, 0x808), (.processorPriority, 0x80a),
      (.endOfInterrupt, 0x80b), (.logicalDestination, 0x80d), (.spuriousVector, 0x80f),
      (.inService0, 0x810), (.triggerMode0, 0x818), (.request0, 0x820), (.errorStatus, 0x828),
      (.lvtMachineCheck, 0x82f), (.interruptCommand, 0x830), (.lvtTimer, 0x832),
      (.lvtThermal, 0x833), (.lvtPerformance, 0x834), (.lvtLINT0, 0x835), (.lvtLINT1, 0x836),
      (.lvtError, 0x837), (.timerInitialCount, 0x838), (.timerCurrentCount, 0x839),
      (.timerDivide, 0x83e), (.selfInterrupt, 0x83f),
    ] as [(APICRegister, UInt32)])
  func apic(register: APICRegister, msr: UInt32) {
    #expect(register.msr.rawValue == msr)
  }

  @Test("An interrupt command has the fields of SDM vol. 3, figure 11-28")
  func command() {
    let command = InterruptCommand(rawValue: 0x0000_0003_000c_cd41)
    #expect(command.vector == 0x41)
    #expect(command.mode == .initialize)
    #expect(command.isLogical)
    #expect(command.isAssert)
    #expect(command.isLevelTriggered)
    #expect(command.shorthand == .others)
    #expect(command.destination == 3)
    #expect(
      InterruptCommand(vector: 0x9a, destination: 0x1_0000, mode: .startUp).rawValue
        == 0x0001_0000_0000_069a)
  }

  @Test("IA32_APIC_BASE says which mode is in force")
  func apicBase() {
    #expect(!APICBase(rawValue: 0xfee0_0100).isEnabled)
    #expect(APICBase(rawValue: 0xfee0_0900).isEnabled)
    #expect(!APICBase(rawValue: 0xfee0_0900).isX2APIC)
    #expect(APICBase(rawValue: 0xfee0_0d00).isX2APIC)
    #expect(!APICBase(rawValue: 0xfee0_0500).isX2APIC)
  }

  /// SDM vol. 3, table 25-2.
  @Test("Segment attributes are a descriptor's bits, and whether it is usable")
  func segments() {
    let code = SegmentAttributes(rawValue: 0xa09b)
    #expect(code.type == 11)
    #expect(code.isCodeOrData && code.isPresent && code.isLong && code.isPageGranular)
    #expect(!code.isDefaultBig && !code.isUnusable && !code.isAvailable)
    #expect(code.privilegeLevel == 0)
    #expect(SegmentAttributes(rawValue: 0x1_00f3).isUnusable)
    #expect(SegmentAttributes(rawValue: 0xc0f3).privilegeLevel == 3)
    let made = SegmentAttributes(
      type: 3, codeOrData: true, privilegeLevel: 3, present: true, available: true, long: false,
      big: true, granular: true, unusable: false)
    #expect(made.rawValue == 0xd0f3)
  }

  /// SDM vol. 3, table 6-1.
  @Test("Exceptions that push an error code are 8, 10 to 14 and 17")
  func errorCodes() {
    let pushing = (UInt8(0)..<32).filter { ExceptionVector(rawValue: $0)?.pushesErrorCode ?? false }
    #expect(pushing == [8, 10, 11, 12, 13, 14, 17])
  }
}
