// SPDX-License-Identifier: Apache-2.0
import Contract
import MonitorCore
import SVM
import Testing
import X86

/// A guest that exits at once. Its "physical" addresses are the test's own, and what it leaves
/// in the VMCB lies in the last bytes of that page, which hold nothing.
enum PretendedInstructions: SVMInstructions {
  static func enter(guest: UInt64, host: UInt64, registers: UnsafeMutableRawPointer) {
    guard let vmcb = UnsafeMutableRawPointer(bitPattern: UInt(guest)) else { return }
    let code = vmcb.load(fromByteOffset: 0xf00, as: UInt64.self)
    vmcb.storeBytes(of: code, toByteOffset: 0x70, as: UInt64.self)
    // What the entry saw: TLB control, event, clean bits, RAX.
    for (to, from) in [(0xf08, 0x5c), (0xf10, 0xa8), (0xf18, 0xc0), (0xf20, 0x5f8)] {
      let value = vmcb.load(fromByteOffset: from & ~7, as: UInt64.self)
      vmcb.storeBytes(of: value, toByteOffset: to, as: UInt64.self)
    }
    vmcb.storeBytes(of: 0x1111, toByteOffset: 0x5f8, as: UInt64.self)
    vmcb.storeBytes(of: 0x2222, toByteOffset: 0x5d8, as: UInt64.self)
    registers.storeBytes(of: 0x3333, toByteOffset: 24, as: UInt64.self)
  }
  static func takePendingNMI() {}
  @TaskLocal static var machineChecks = Counter()
  static func takeMachineCheck() { machineChecks.value += 1 }
}

final class Counter: @unchecked Sendable {
  var value = 0
}

@Suite("SVM behind the unit protocol")
struct SVMUnitTests {
  let pages: TestPages
  let bitmap: TestPages
  let unit: SVMUnit<PretendedInstructions>
  private let areas = TestPages.window()

  init() {
    pages = areas.vcpuPage(APUS_VCPU_PAGE_VMCB)
    bitmap = areas.vcpuPage(APUS_VCPU_PAGE_MSR_BITMAP, 2)
    let vcpu = areas.vcpuPages
    vcpu.control.pointee.area = UInt64(UInt(bitPattern: vcpu.vcpuPage(0)))
    unit = .of(vcpu)
    unit.prepare(portBitmap: 0x2000, nestedRoot: 0x5000)
  }

  @Test("A prepared block has nested paging, every MSR intercepted, and an ASID that is not 0")
  func prepared() {
    #expect(pages[0x40, as: UInt64.self] == 0x2000)
    #expect(pages[0x48, as: UInt64.self] == UInt64(UInt(bitPattern: bitmap.base)))
    #expect(pages[0x58, as: UInt32.self] != 0)
    #expect(pages[0x90, as: UInt64.self] == 1)
    #expect(pages[0xb0, as: UInt64.self] == 0x5000)
    // PAT after reset, SDM vol. 3, table 12-12.
    #expect(pages[0x668, as: UInt64.self] == 0x0007_0406_0007_0406)
    #expect((0..<8192).allSatisfy { bitmap[$0, as: UInt8.self] == 0xff })
    // V_INTR_MASKING is off: the guest's IF and TPR are the CPU's.
    #expect(pages[0x60, as: UInt64.self] & 1 << 24 == 0)
  }

  @Test("EFER.SVME is always on in the block and never seen by the guest")
  func efer() {
    unit.efer = 0xd01
    #expect(pages[0x4d0, as: UInt64.self] == 0x1d01)
    #expect(unit.efer == 0xd01)
  }

  @Test(
    "The length of an instruction is the distance to the next one",
    arguments: [
      (0x72, 0x1000, 0x1002, 2), (0x72, 0x1234_5678_9abd, 0x1234_5678_9ac0, 3),
      (0x7c, 0xffff_ffff_8100_000e, 0xffff_ffff_8100_0010, 2), (0x72, 0x1000, 0, 0),
    ] as [(UInt64, UInt64, UInt64, UInt64)])
  func length(code: UInt64, rip: UInt64, next: UInt64, expected: UInt64) {
    pages[0x70, as: UInt64.self] = code
    pages[0x578, as: UInt64.self] = rip
    pages[0xc8, as: UInt64.self] = next
    #expect(unit.exitInstructionLength == expected)
  }

  @Test("For a port access EXITINFO2 tells the next instruction")
  func portLength() {
    pages[0x70, as: UInt64.self] = 0x7b
    pages[0x578, as: UInt64.self] = 0x7c0f
    pages[0x80, as: UInt64.self] = 0x7c11
    #expect(unit.exitInstructionLength == 2)
  }

  @Test("An entry passes RAX and RSP through the block and forgets what it delivered")
  func enter() {
    var registers = GuestRegisters()
    registers.rax = 0xaaaa
    pages[0xf00, as: UInt64.self] = 0x72
    unit.injection = Event(kind: .exception, vector: 13, errorCode: 8)
    unit.flushTranslations()
    #expect(unit.enter(&registers, unlessNMISince: 0) == .cpuid)
    #expect(registers.rax == 0x1111)
    #expect(unit.stackPointer == 0x2222)
    #expect(registers.rbx == 0x3333)
    #expect(pages[0xf08, as: UInt64.self] >> 32 == 1, "the TLB was flushed")
    #expect(pages[0xf10, as: UInt64.self] == 0x8_8000_0b0d)
    #expect(pages[0xf18, as: UInt64.self] & 0xffff_ffff == 0, "no clean bit")
    #expect(pages[0xf20, as: UInt64.self] == 0xaaaa)
    #expect(unit.injection == nil)
    #expect(pages[0x5c, as: UInt8.self] == 0)
  }

  @Test("A flush that is asked for outlives an entry that the processor refused")
  func refusedFlush() {
    var registers = GuestRegisters()
    pages[0xf00, as: UInt64.self] = .max
    unit.flushTranslations()
    #expect(unit.enter(&registers, unlessNMISince: 0) == .invalidState)
    #expect(pages[0x5c, as: UInt8.self] == 1)
    pages[0xf00, as: UInt64.self] = 0x72
    #expect(unit.enter(&registers, unlessNMISince: 0) == .cpuid)
    #expect(pages[0x5c, as: UInt8.self] == 0)
  }

  /// APM vol. 2, appendix C: VMEXIT_EXCP18.
  @Test("A machine check that ends the guest's run is taken by the monitor, once")
  func machineCheck() {
    PretendedInstructions.$machineChecks.withValue(Counter()) {
      var registers = GuestRegisters()
      for code in [0x52, 0x41, 0x61] as [UInt64] {
        pages[0xf00, as: UInt64.self] = code
        _ = unit.enter(&registers, unlessNMISince: 0)
      }
      #expect(PretendedInstructions.machineChecks.value == 1)
    }
  }

  /// APM vol. 2, 15.21.4: V_IRQ 8, V_INTR_PRIO 16 to 19, V_IGN_TPR 20, V_INTR_VECTOR 32 to 39.
  @Test("An external interrupt waits as a virtual one until it is delivered")
  func externalInterrupt() {
    unit.injection = Event(kind: .external, vector: 0x31)
    #expect(pages[0x60, as: UInt64.self] == 0x31_001f_0100)
    #expect(pages[0xa8, as: UInt64.self] == 0)
    #expect(unit.injection == Event(kind: .external, vector: 0x31))
    // The processor clears V_IRQ when it has delivered it.
    pages[0x60, as: UInt64.self] &= ~0x100
    #expect(unit.injection == nil)
  }

  @Test("An interrupt window is an intercepted virtual interrupt, which is none itself")
  func window() {
    unit.interruptWindowExiting = true
    #expect(pages[0xc, as: UInt32.self] & 1 << 4 != 0)
    #expect(pages[0x60, as: UInt64.self] & 1 << 8 != 0)
    #expect(unit.injection == nil)
    unit.interruptWindowExiting = false
    #expect(pages[0xc, as: UInt32.self] & 1 << 4 == 0)
    #expect(pages[0x60, as: UInt64.self] == 0)
  }

  /// APM vol. 2, appendix B: writes of CR0 to CR15 are bits 16 to 31 of the VMCB's first word.
  @Test("Writes to CR4 exit while CPUID hides one of its bits")
  func hiddenCR4() {
    unit.interceptCR4(hidden: 1 << 20)
    #expect(pages[0, as: UInt32.self] & 1 << 20 != 0)
    unit.interceptCR4(hidden: 0)
    #expect(pages[0, as: UInt32.self] & 1 << 20 == 0)
  }

  @Test("An interrupt's vector is its own, whatever the last one's was")
  func nextInterrupt() {
    unit.injection = Event(kind: .external, vector: 0x34)
    pages[0x60, as: UInt64.self] &= ~0x100
    unit.injection = Event(kind: .external, vector: 0x48)
    #expect(pages[0x60, as: UInt64.self] == 0x48_001f_0100)
  }

  /// It was acknowledged at the PIC: nobody would ask for it again.
  @Test("A window that is asked for while an interrupt waits leaves that interrupt")
  func windowBehindInterrupt() {
    unit.injection = Event(kind: .external, vector: 0x34)
    unit.interruptWindowExiting = true
    #expect(unit.injection == Event(kind: .external, vector: 0x34))
    #expect(pages[0xc, as: UInt32.self] & 1 << 4 == 0)
    unit.interruptWindowExiting = false
    #expect(unit.injection == Event(kind: .external, vector: 0x34))
  }

  @Test("A window that is asked for does not take a waiting interrupt away, and its end neither")
  func windowAndInterrupt() {
    unit.injection = Event(kind: .external, vector: 0x31)
    unit.interruptWindowExiting = false
    #expect(unit.injection == Event(kind: .external, vector: 0x31))
  }

  @Test("The privilege level follows SS")
  func privilege() {
    unit[.ss] = Segment(selector: 0x2b, attributes: SegmentAttributes(rawValue: 0xc0f3))
    #expect(unit.privilegeLevel == 3)
    #expect(pages[0x4cb, as: UInt8.self] == 3)
  }

  @Test("GDTR and IDTR have a base and a limit")
  func tables() {
    unit.gdt = DescriptorTable(limit: 0x7f, base: 0xffff_8000_0000_1000)
    unit.idt = DescriptorTable(limit: 0xfff, base: 0xfffe_0000)
    #expect(pages[0x464, as: UInt32.self] == 0x7f)
    #expect(pages[0x468, as: UInt64.self] == 0xffff_8000_0000_1000)
    #expect(pages[0x484, as: UInt32.self] == 0xfff)
    #expect(pages[0x488, as: UInt64.self] == 0xfffe_0000)
    #expect(unit.idt == DescriptorTable(limit: 0xfff, base: 0xfffe_0000))
  }

  @Test("MSRs that the block holds are found there, others are not its own")
  func msrs() {
    #expect(unit.writeMSR(MSR(rawValue: 0xc000_0082), 0xffff_ffff_8160_0000))
    #expect(pages[0x608, as: UInt64.self] == 0xffff_ffff_8160_0000)
    #expect(unit.writeMSR(MSR(rawValue: 0xc000_0100), 0x7000))
    #expect(pages[0x448, as: UInt64.self] == 0x7000)
    pages[0x458, as: UInt64.self] = 0x8000
    #expect(unit.readMSR(MSR(rawValue: 0xc000_0101)) == 0x8000)
    #expect(unit.readMSR(MSR(rawValue: 0x1b)) == nil)
    #expect(!unit.writeMSR(MSR(rawValue: 0xc000_0080), 0))
  }

  @Test(
    "A value that WRMSR would refuse does not reach VMLOAD",
    arguments: [
      0xc000_0082, 0xc000_0083, 0xc000_0100, 0xc000_0101, 0xc000_0102, 0x175, 0x176,
    ] as [UInt32])
  func noncanonical(number: UInt32) {
    let msr = MSR(rawValue: number)
    #expect(unit.writeMSR(msr, 0xffff_8000_0000_0000))
    #expect(!unit.writeMSR(msr, 0x8000_0000_0000))
    #expect(unit.readMSR(msr) == 0xffff_8000_0000_0000)
  }

  @Test("Nor one of the PAT with a reserved memory type")
  func memoryTypes() {
    let msr = MSR(rawValue: 0x277)
    #expect(unit.writeMSR(msr, 0x0701_0406_0705_0406))
    #expect(!unit.writeMSR(msr, 0x0007_0406_0002_0406))
    #expect(!unit.writeMSR(msr, 0x0807_0406_0000_0406))
    #expect(unit.readMSR(msr) == 0x0701_0406_0705_0406)
  }

  @Test("HLT exits only when it is asked for")
  func halt() {
    #expect(!unit.haltExiting)
    unit.haltExiting = true
    #expect(pages[0xc, as: UInt32.self] & 1 << 24 != 0)
    unit.haltExiting = false
    #expect(pages[0xc, as: UInt32.self] & 1 << 24 == 0)
  }

  @Test("An event that was cut short is handed over once")
  func interruptedEvent() {
    pages[0x88, as: UInt64.self] = 0x8000_0b0e | 2 << 32
    #expect(
      unit.takeInterruptedEvent() == Event(kind: .exception, vector: 14, errorCode: 2))
    #expect(unit.takeInterruptedEvent() == nil)
  }
  @Test("INT3 and INTO are software's: delivered again they would return to themselves")
  func interruptedBreakpoint() {
    for vector in [3, 4] as [UInt64] {
      pages[0x88, as: UInt64.self] = 0x8000_0300 | vector
      #expect(unit.takeInterruptedEvent()?.kind == .software)
    }
    pages[0x88, as: UInt64.self] = 0x8000_0301
    #expect(unit.takeInterruptedEvent()?.kind == .exception)
  }
}
