// SPDX-License-Identifier: Apache-2.0
import Contract
import GuestFeatures
import Testing
import X86

@testable import MonitorCore

/// The payload is what linux/kvm.h lays down; numbers are those of its macros.
@Suite("Ioctls that the driver forwards")
struct IoctlTests {
  let machine = PretendedMachine()
  var cpu: PretendedMachine.CPU { machine.cpu }
  static let payload: UInt64 = 2 << 20 + 0x1_4000

  subscript<Value: BitwiseCopyable>(_ offset: UInt64, as type: Value.Type) -> Value {
    get { machine.memory[Self.payload + offset, as: type] }
    nonmutating set { machine.memory[Self.payload + offset, as: type] = newValue }
  }

  @Test("An unknown one answers ENOTTY")
  func unknown() {
    #expect(cpu.perform(0xdead, size: 0) == -25)
    #expect(cpu.performOnMachine(0xdead) == -25)
  }

  @Test("KVM_SET_REGS and KVM_GET_REGS have RAX RBX RCX RDX RSI RDI RSP RBP R8 … RIP RFLAGS")
  func registers() {
    for word in UInt64(0)..<18 { self[word * 8, as: UInt64.self] = 0x100 + word }
    #expect(cpu.perform(0x4090_ae82, size: 144) == 0)
    #expect(
      (0..<8).map { cpu.state.registers[$0] } == [
        0x100, 0x102, 0x103, 0x101, 0x106, 0x107, 0x104, 0x105,
      ])
    #expect(cpu.state.registers[15] == 0x10f)
    #expect(machine.unit.instructionPointer == 0x110)
    #expect(machine.unit.flags.rawValue == 0x113, "bit 1 is always set")
    for word in UInt64(0)..<18 { self[word * 8, as: UInt64.self] = 0 }
    #expect(cpu.perform(0x8090_ae81, size: 144) == 0)
    #expect((0..<17).map { self[$0 * 8, as: UInt64.self] } == (0..<17).map { 0x100 + $0 })
  }

  @Test("KVM_SET_MSRS stops at the first that is not there, and says how many were set")
  func msrs() {
    self[0, as: UInt32.self] = 3
    for (place, entry) in [(0x200, 7), (0x480, 8), (0x201, 9)].enumerated()
      as EnumeratedSequence<
        [(Int, Int)]
      >
    {
      self[8 + UInt64(place) * 16, as: UInt32.self] = UInt32(entry.0)
      self[16 + UInt64(place) * 16, as: UInt64.self] = UInt64(entry.1)
    }
    #expect(cpu.perform(0x4008_ae89, size: 56) == 1)
    #expect(cpu.readMSR(MSR(rawValue: 0x200)) == 7)
    #expect(cpu.readMSR(MSR(rawValue: 0x201)) == 0)
    self[0, as: UInt32.self] = 1
    self[16, as: UInt64.self] = 0
    #expect(cpu.perform(0xc008_ae88, size: 24) == 1)
    #expect(self[16, as: UInt64.self] == 7)
  }

  @Test(
    "A count that does not fit into what was copied is E2BIG", arguments: [4, .max] as [UInt32])
  func tooMany(count: UInt32) {
    self[0, as: UInt32.self] = count
    #expect(cpu.perform(0x4008_ae89, size: 56) == -7)
    #expect(cpu.perform(0xc008_ae88, size: 56) == -7)
    #expect(cpu.perform(0x4008_ae89, size: 0) == -7)
    #expect(cpu.perform(0x4008_ae90, size: 8) == -7, "CPUID")
  }

  @Test("KVM_SET_CPUID2's leaves are those of the guest and of KVM_GET_CPUID2")
  func cpuid() {
    self[0, as: UInt32.self] = 1
    // function, index, flags, EAX to EDX, padding.
    for (place, word) in [0x4000_0000, 0, 0, 0x4000_0001, 0x4b4d_564b, 0x564b_4d56, 0x4d]
      .enumerated() as EnumeratedSequence<[UInt32]>
    { self[8 + UInt64(place) * 4, as: UInt32.self] = word }
    #expect(cpu.perform(0x4008_ae90, size: 48) == 0)
    #expect(cpu.cpuid(0x4000_0000, 0).ebx == 0x4b4d_564b)
    self[0, as: UInt32.self] = 0
    #expect(cpu.perform(0xc008_ae91, size: 8) == -7)
    #expect(self[0, as: UInt32.self] == 1, "how many there are")
    #expect(cpu.perform(0xc008_ae91, size: 48) == 0)
    #expect(self[8, as: UInt32.self] == 0x4000_0000)
  }

  /// Leaf 7 EBX bit 7: SMEP, bit 20 of CR4.
  @Test("A bit of CR4 whose feature KVM_SET_CPUID2 leaves out is hidden from the guest")
  func hiddenCR4() {
    machine.processor.leaves[7] = CPUIDRegisters(ebx: 1 << 7)
    self[0, as: UInt32.self] = 1
    for place in UInt64(0)..<10 { self[8 + place * 4, as: UInt32.self] = 0 }
    self[8, as: UInt32.self] = 7
    #expect(cpu.perform(0x4008_ae90, size: 48) == 0)
    #expect(machine.unit.hiddenCR4 & 1 << 20 != 0)
    self[8 + 16, as: UInt32.self] = 1 << 7
    #expect(cpu.perform(0x4008_ae90, size: 48) == 0)
    #expect(machine.unit.hiddenCR4 & 1 << 20 == 0)
  }

  /// Leaf 1 ECX bit 27, OSXSAVE, is CR4's.
  @Test("KVM_GET_CPUID2 has the bits that follow the guest's registers")
  func liveCPUID() {
    self[0, as: UInt32.self] = 1
    for place in UInt64(0)..<10 { self[8 + place * 4, as: UInt32.self] = 0 }
    self[8, as: UInt32.self] = 1
    self[8 + 20, as: UInt32.self] = 1 << 26
    #expect(cpu.perform(0x4008_ae90, size: 48) == 0)
    #expect(cpu.perform(0xc008_ae91, size: 48) == 0)
    #expect(self[8 + 20, as: UInt32.self] == 1 << 26)
    machine.unit.cr4 = 1 << 18
    #expect(cpu.perform(0xc008_ae91, size: 48) == 0)
    #expect(self[8 + 20, as: UInt32.self] == 3 << 26)
  }

  @Test("An application processor has never started until it got INIT")
  func fresh() {
    let machine = PretendedMachine(cpus: 2)
    let payload: UInt64 = 3 << 20 + 0x1_4000
    #expect(machine.cpus[1].perform(0x8004_ae98, size: 4) == 0)
    #expect(machine.memory[payload, as: UInt32.self] == 1)
  }

  /// Every register that a guest can change and a client cannot see otherwise.
  @Test("Every listed MSR can be read by a client and put back as it was")
  func listed() {
    for index in listedMSRs.indices {
      let msr = MSR(rawValue: listedMSRs[index])
      if MSRTable.row(of: msr)?.home == .unit { machine.unit.kept[msr.rawValue] = 0 }
      let value = cpu.readMSR(msr, by: .client)
      #expect(value != nil, "\(String(msr.rawValue, radix: 16))")
      #expect(cpu.writeMSR(msr, value ?? 1, by: .client), "\(String(msr.rawValue, radix: 16))")
    }
  }

  @Test("KVM_SET_MP_STATE takes runnable and waiting, and no other")
  func activity() {
    self[0, as: UInt32.self] = 2
    #expect(cpu.perform(0x4004_ae99, size: 4) == 0)
    #expect(cpu.state.activity == .waitingForStartUp)
    self[0, as: UInt32.self] = 3
    #expect(cpu.perform(0x4004_ae99, size: 4) == 0)
    #expect(cpu.state.activity == .running, "halted: it wakes")
    self[0, as: UInt32.self] = 0
    #expect(cpu.perform(0x4004_ae99, size: 4) == 0)
    #expect(cpu.state.activity == .running)
    #expect(cpu.perform(0x8004_ae98, size: 4) == 0)
    #expect(self[0, as: UInt32.self] == 0)
    self[0, as: UInt32.self] = 5
    #expect(cpu.perform(0x4004_ae99, size: 4) == -22)
  }

  @Test("KVM_SET_LAPIC goes through the checks of the guest's own writes")
  func lapic() {
    for offset in stride(from: UInt64(0), to: 1024, by: 4) { self[offset, as: UInt32.self] = 0 }
    self[0x320, as: UInt32.self] = 0x2_02ef
    self[0x350, as: UInt32.self] = 0x700
    self[0x0f0, as: UInt32.self] = 0x1ff
    // Requested: 0x21, and 3, which is no interrupt.
    self[0x200, as: UInt32.self] = 1 << 3
    self[0x210, as: UInt32.self] = 1 << 1
    #expect(cpu.perform(0x4400_ae8f, size: 1024) == 0)
    #expect(machine.processor.msrs[0x832] == 0x2_00ef)
    #expect(machine.processor.msrs[0x835] == nil)
    #expect(cpu.readXAPIC(.lvtLINT0) == 0x700)
    #expect(machine.processor.selfInterrupts == [0x21])
  }

  @Test("KVM_SET_LAPIC puts interrupts back into service, and knows which are levels")
  func lapicInService() {
    for offset in stride(from: UInt64(0), to: 1024, by: 4) { self[offset, as: UInt32.self] = 0 }
    // In service 0x31 and 0x61, requested 0x45 and 0x82; by their trigger mode 0x61, 0x82 and 0x90 are levels.
    self[0x110, as: UInt32.self] = 1 << 0x11
    self[0x130, as: UInt32.self] = 1 << 1
    self[0x220, as: UInt32.self] = 1 << 5
    self[0x240, as: UInt32.self] = 1 << 2
    self[0x1b0, as: UInt32.self] = 1 << 1
    self[0x1c0, as: UInt32.self] = 1 << 2 | 1 << 0x10
    #expect(cpu.perform(0x4400_ae8f, size: 1024) == 0)
    #expect(machine.processor.served == [0x31, 0x61])
    #expect(machine.processor.selfInterrupts == [0x45, 0x82])
    #expect(cpu.state.levelVectors.contains(0x61) && cpu.state.levelVectors.contains(0x82))
    #expect(!cpu.state.levelVectors.contains(0x90), "neither requested nor in service")
    #expect(cpu.perform(0x8400_ae8e, size: 1024) == 0)
    #expect(self[0x1b0, as: UInt32.self] == 1 << 1)
    #expect(self[0x1c0, as: UInt32.self] == 1 << 2 | 1 << 0x10, "as it was set")
  }

  @Test(
    "KVM_SET_LAPIC refuses interrupts in service that cannot be",
    arguments: [(0x100, 1 << 20), (0x130, 0b11)] as [(UInt64, UInt32)])
  func lapicNeverInService(offset: UInt64, bits: UInt32) {
    for offset in stride(from: UInt64(0), to: 1024, by: 4) { self[offset, as: UInt32.self] = 0 }
    self[offset, as: UInt32.self] = bits
    #expect(cpu.perform(0x4400_ae8f, size: 1024) == -22)
  }

  @Test(
    "KVM_SET_LAPIC goes on with what is left of a one-shot timer, and begins a period anew",
    arguments: [(0, 1000, 400, 400), (0, 1000, 0, 1), (0, 0, 0, 0), (1, 1000, 400, 1000)]
      as [(UInt32, UInt32, UInt32, UInt64)])
  func lapicTimer(mode: UInt32, initial: UInt32, current: UInt32, loaded: UInt64) {
    for offset in stride(from: UInt64(0), to: 1024, by: 4) { self[offset, as: UInt32.self] = 0 }
    self[0x320, as: UInt32.self] = mode << 17 | 0xec
    self[0x380, as: UInt32.self] = initial
    self[0x390, as: UInt32.self] = current
    #expect(cpu.perform(0x4400_ae8f, size: 1024) == 0)
    #expect(machine.processor.msrs[0x838] == loaded)
  }

  @Test("A request of another vCPU is a part of the state that is read; one to return waits")
  func absorbsRequests() {
    cpu.withMachine { $0.requests[0] = VCPURequest.nonMaskableInterrupt.rawValue }
    unsafe cpu.pages.control.pointee.requests = APUS_REQUEST_EXIT.rawValue
    #expect(cpu.perform(0x8040_ae9f, size: 64) == 0)
    #expect(self[13, as: UInt8.self] == 1, "kvm_vcpu_events.nmi.pending")
    #expect(unsafe cpu.pages.control.pointee.requests == APUS_REQUEST_EXIT.rawValue)
  }

  /// struct kvm_sregs: eight segments of 24 bytes, GDT and IDT of 16, CR0, CR2, CR3, CR4, CR8,
  /// EFER, APIC_BASE from offset 224.
  @Test(
    "KVM_SET_SREGS refuses what no processor could hold",
    arguments: [
      (0x11, 0, 0, 0xfee0_0900, 0), (0x8000_0011, 0x20, 0x500, 0xfee0_0900, 0),
      (0x8000_0011, 0, 0, 0xfee0_0900, 0), (0x8000_0010, 0, 0, 0xfee0_0900, -22),
      (0x2000_0011, 0, 0, 0xfee0_0900, -22), (0x8000_0011, 0, 0x500, 0xfee0_0900, -22),
      (0x8000_0011, 0x20, 0x100, 0xfee0_0900, -22), (0x11, 0, 0x400, 0xfee0_0900, -22),
      (0x11, 0, 0x1000, 0xfee0_0900, -22), (0x1_0000_0011, 0, 0, 0xfee0_0900, -22),
      (0x11, 0, 0, 0xfee0_0a00, -22), (0x11, 0, 0, 0xfee0_0500, -22),
    ] as [(UInt64, UInt64, UInt64, UInt64, Int64)])
  func specialRegisters(cr0: UInt64, cr4: UInt64, efer: UInt64, base: UInt64, result: Int64) {
    for offset in stride(from: UInt64(0), to: 312, by: 8) { self[offset, as: UInt64.self] = 0 }
    self[224, as: UInt64.self] = cr0
    self[248, as: UInt64.self] = cr4
    self[264, as: UInt64.self] = efer
    self[272, as: UInt64.self] = base
    machine.unit.cr0 = 0x99
    #expect(cpu.perform(0x4138_ae84, size: 312) == result)
    #expect((machine.unit.cr0 == 0x99) == (result != 0), "all or nothing")
  }

  /// FS, GS, TR and LDTR reach VMLOAD.
  @Test(
    "KVM_SET_SREGS refuses a base that no instruction loads",
    arguments: [72, 96, 144, 168, 192, 208] as [UInt64])
  func bases(offset: UInt64) {
    #expect(cpu.perform(0x8138_ae83, size: 312) == 0)
    self[offset, as: UInt64.self] = 0xffff_8000_0000_0000
    #expect(cpu.perform(0x4138_ae84, size: 312) == 0)
    self[offset, as: UInt64.self] = 0x8000_0000_0000
    #expect(cpu.perform(0x4138_ae84, size: 312) == -22)
  }

  /// struct kvm_segment: the type is its byte 14; TR is at 144. SDM vol. 3, table 3-2: bit 1 is "busy".
  @Test(
    "KVM_GET_SREGS calls a loaded task busy, also where the processor does not say so",
    arguments: [(0x89, 0xb), (0x8b, 0xb), (0x81, 3)] as [(UInt32, UInt8)])
  func busyTask(attributes: UInt32, type: UInt8) {
    machine.unit[.tr] = Segment(attributes: SegmentAttributes(rawValue: attributes))
    #expect(cpu.perform(0x8138_ae83, size: 312) == 0)
    #expect(self[158, as: UInt8.self] == type)
  }
}
