// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing
import X86

@testable import MonitorCore

/// The guest: 32-bit code at 0x1000, flat segments, no paging; memory from 0 to 2 MiB, a device of
/// the client's at 0xd000_0000. RBX points to it, RSI and RDI to memory at 0x2000.
@Suite("Instructions on devices' memory")
struct DeviceAccessTests {
  let machine = PretendedMachine()
  var cpu: PretendedMachine.CPU { machine.cpu }
  var unit: PretendedUnit { machine.unit }
  static let ram = PretendedMachine.guestPhysical
  static let device: UInt64 = 0xd000_0000

  init() {
    machine.publish([.init(address: 0, size: 0x20_0000, physical: Self.ram)])
    cpu.followSlots()
    unit[.cs] = Segment(attributes: SegmentAttributes(rawValue: 0xc09b), limit: .max, base: 0)
    for name in [SegmentName.ds, .es, .ss, .fs, .gs] {
      unit[name] = Segment(
        attributes: SegmentAttributes(rawValue: 0xc093), limit: .max, base: 0)
    }
    unit.cr0 = 0x11
    cpu.state.registers.rbx = Self.device
    cpu.state.registers.rsi = 0x2000
    cpu.state.registers.rdi = 0x2000
  }

  /// Runs an instruction that faults; the guest halts behind it. Answers each read of the client's
  /// and gives the accesses that it saw.
  func run(
    _ code: [UInt8], at address: UInt64 = device, write: Bool, answer: UInt64 = 0,
    faults: Int = 1
  ) -> [Access] {
    machine.memory.store(code, at: Self.ram + 0x1000)
    unit.instructionPointer = 0x1000
    let fault = NestedFault(address: GuestPhysical(address), isWrite: write, isExecute: false)
    unit.steps = Array(repeating: { _, _ in .nestedFault(fault) }, count: faults)
    var seen: [Access] = []
    for _ in 0..<8 {
      #expect(cpu.runGuest() == 0)
      guard cpu.run.exit_reason == 6 else { break }
      let mmio = cpu.run.mmio
      let size = mmio.len
      let data = withUnsafeBytes(of: mmio.data) { $0.loadUnaligned(as: UInt64.self) }
      seen.append(
        mmio.is_write == 0
          ? .read(mmio.phys_addr, size) : .write(mmio.phys_addr, size, data))
      if mmio.is_write == 0 {
        withUnsafeMutableBytes(of: &cpu.run.mmio.data) {
          $0.storeBytes(of: answer, as: UInt64.self)
        }
      }
    }
    return seen
  }

  enum Access: Equatable {
    case read(UInt64, UInt32)
    case write(UInt64, UInt32, UInt64)
  }

  @Test("A store goes to the client with as many bytes as it has")
  func store() {
    cpu.state.registers.rax = 0x1122_3344
    #expect(run([0x89, 0x03], write: true) == [.write(Self.device, 4, 0x1122_3344)])
    #expect(run([0x88, 0x23], write: true) == [.write(Self.device, 1, 0x33)])
    #expect(run([0x66, 0x89, 0x03], write: true) == [.write(Self.device, 2, 0x3344)])
    #expect(
      run([0xc7, 0x03, 0xff, 0xff, 0xff, 0xff], write: true)
        == [.write(Self.device, 4, 0xffff_ffff)])
    #expect(cpu.run.exit_reason == 5)
    #expect(unit.instructionPointer == 0x1007, "MOV and HLT")
  }

  @Test("A load is finished with the client's answer")
  func load() {
    cpu.state.registers.rax = 0xffff_ffff_ffff_ffff
    #expect(
      run([0x8b, 0x03], write: false, answer: 0xaabb_ccdd_1234_5678) == [.read(Self.device, 4)])
    #expect(cpu.state.registers.rax == 0x1234_5678)
    #expect(unit.instructionPointer == 0x1003)
  }

  @Test("Loads that extend do so")
  func extended() {
    #expect(run([0x0f, 0xb6, 0x03], write: false, answer: 0xfff0) == [.read(Self.device, 1)])
    #expect(cpu.state.registers.rax == 0xf0)
    #expect(run([0x0f, 0xbf, 0x03], write: false, answer: 0x8000) == [.read(Self.device, 2)])
    #expect(cpu.state.registers.rax == 0xffff_8000)
  }

  @Test("What reads and writes does both, and sets the flags")
  func readModifyWrite() {
    cpu.state.registers.rax = 0xffff_ffff
    #expect(
      run([0x01, 0x03], write: true, answer: 1)
        == [.read(Self.device, 4), .write(Self.device, 4, 0)])
    // CF, PF, AF, ZF.
    #expect(unit.flags.rawValue & 0x8d5 == 0x55)
    #expect(
      run([0xf0, 0x0f, 0xab, 0x03], write: true, answer: 0)
        == [.read(Self.device - 4, 4), .write(Self.device - 4, 4, 0x8000_0000)])
    #expect(
      run([0x87, 0x03], write: true, answer: 0x77)
        == [.read(Self.device, 4), .write(Self.device, 4, 0xffff_ffff)])
    #expect(cpu.state.registers.rax == 0x77)
    cpu.state.registers.rcx = 0x99
    #expect(
      run([0xf0, 0x0f, 0xb1, 0x0b], write: true, answer: 0x77)
        == [.read(Self.device, 4), .write(Self.device, 4, 0x99)])
    #expect(
      run([0xf0, 0x0f, 0xb1, 0x0b], write: true, answer: 0x78)
        == [.read(Self.device, 4), .write(Self.device, 4, 0x78)])
    #expect(cpu.state.registers.rax == 0x78)
    #expect(
      run([0x0f, 0xc1, 0x0b], write: true, answer: 1)
        == [.read(Self.device, 4), .write(Self.device, 4, 0x9a)])
    #expect(cpu.state.registers.rcx == 1)
  }

  @Test("What only compares does not write")
  func compare() {
    cpu.state.registers.rax = 5
    #expect(run([0x39, 0x03], write: false, answer: 5) == [.read(Self.device, 4)])
    #expect(unit.flags.contains(.zero))
    #expect(run([0xf6, 0x03, 0x80], write: false, answer: 0x80) == [.read(Self.device, 1)])
    #expect(!unit.flags.contains(.zero))
    #expect(run([0x0f, 0xa3, 0x03], write: false, answer: 0x20) == [.read(Self.device, 4)])
    #expect(unit.flags.contains(.carry))
  }

  @Test("A value may go from a device to a register through arithmetic")
  func registerArithmetic() {
    cpu.state.registers.rax = 0xf0
    #expect(run([0x0b, 0x03], write: false, answer: 0x0f) == [.read(Self.device, 4)])
    #expect(cpu.state.registers.rax == 0xff)
  }

  @Test("PUSH stores what the device says on the stack")
  func push() {
    machine.unit.stackPointer = 0x3000
    #expect(run([0xff, 0x33], write: false, answer: 0xcafe_f00d) == [.read(Self.device, 4)])
    #expect(machine.unit.stackPointer == 0x2ffc)
    #expect(machine.memory[Self.ram + 0x2ffc, as: UInt32.self] == 0xcafe_f00d)
  }

  @Test("A repeated store comes back for each element")
  func storeString() {
    cpu.state.registers.rdi = Self.device
    cpu.state.registers.rax = 0x41
    cpu.state.registers.rcx = 2
    #expect(
      run([0xf3, 0xaa], write: true, faults: 2)
        == [.write(Self.device, 1, 0x41), .write(Self.device + 1, 1, 0x41)])
    #expect(cpu.state.registers.rcx == 0)
    #expect(cpu.state.registers.rdi == Self.device + 2)
    #expect(unit.instructionPointer == 0x1003)
  }

  @Test("MOVS moves from a device to memory and from memory to a device")
  func moveString() {
    cpu.state.registers.rsi = Self.device
    #expect(run([0xa5], write: false, answer: 0x1234_5678) == [.read(Self.device, 4)])
    #expect(machine.memory[Self.ram + 0x2000, as: UInt32.self] == 0x1234_5678)
    #expect(cpu.state.registers.rsi == Self.device + 4)
    #expect(cpu.state.registers.rdi == 0x2004)
    cpu.state.registers.rsi = 0x2000
    cpu.state.registers.rdi = Self.device
    #expect(run([0xa5], write: true) == [.write(Self.device, 4, 0x1234_5678)])
    #expect(cpu.state.registers.rdi == Self.device + 4)
  }

  @Test("MOVS into memory may cross a page")
  func moveAcross() {
    cpu.state.registers.rsi = Self.device
    cpu.state.registers.rdi = 0x2ffe
    #expect(run([0xa5], write: false, answer: 0x1234_5678) == [.read(Self.device, 4)])
    #expect(machine.memory[Self.ram + 0x2ffe, as: UInt32.self] == 0x1234_5678)
  }

  @Test("MOVS between two devices reads one and writes the other")
  func moveBetween() {
    cpu.state.registers.rsi = Self.device
    cpu.state.registers.rdi = Self.device + 0x1000
    #expect(
      run([0xa5], write: false, answer: 0x77)
        == [.read(Self.device, 4), .write(Self.device + 0x1000, 4, 0x77)])
  }

  @Test("MOVS from a register of a device onto itself writes what was read")
  func moveOntoItself() {
    cpu.state.registers.rsi = Self.device
    cpu.state.registers.rdi = Self.device
    #expect(
      run([0xa5], write: false, answer: 0x77)
        == [.read(Self.device, 4), .write(Self.device, 4, 0x77)])
  }

  @Test("A store into read-only memory is the client's")
  func readOnly() {
    machine.publish([
      .init(address: 0, size: 0x20_0000, physical: Self.ram, generation: 1),
      .init(
        address: 0xffff_0000, size: 0x1_0000, physical: Self.ram + 0x20_0000, isReadOnly: true),
    ])
    cpu.followSlots()
    cpu.state.registers.rax = 1
    cpu.state.registers.rbx = 0xffff_0000
    #expect(
      run([0x89, 0x03], at: 0xffff_0000, write: true) == [.write(0xffff_0000, 4, 1)])
  }

  @Test("A page that is memory by now is only tried again")
  func memoryByNow() {
    #expect(run([0x8b, 0x03], at: 0x5000, write: true) == [])
    #expect(cpu.run.exit_reason == 5)
    #expect(cpu.control.statistics.exits.17 == 1)
  }

  @Test("Code in a device, and instructions that nobody finishes, are reported to the client")
  func refused() {
    #expect(run([0xd9, 0x1b], write: true) == [], "FSTP")
    #expect(cpu.run.exit_reason == 17)
    #expect(cpu.run.internal.suberror == 1)
    #expect(cpu.run.emulation_failure.ndata == 3)
    #expect(cpu.run.emulation_failure.flags == 1)
    #expect(cpu.run.emulation_failure.insn_size == 15)
    #expect(cpu.run.emulation_failure.insn_bytes.0 == 0xd9)
    #expect(cpu.run.emulation_failure.insn_bytes.1 == 0x1b)
    unit.steps = [
      { _, _ in
        .nestedFault(
          NestedFault(address: GuestPhysical(Self.device), isWrite: false, isExecute: true))
      }
    ]
    #expect(cpu.runGuest() == 0)
    #expect(cpu.run.exit_reason == 17)
  }

  @Test("A fault of the processor's own walk through page tables is no instruction's access")
  func tableWalk() {
    unit.steps = [
      { _, _ in
        .nestedFault(
          NestedFault(
            address: GuestPhysical(Self.device), isWrite: true, isExecute: false, isTableWalk: true)
        )
      }
    ]
    #expect(cpu.runGuest() == 0)
    #expect(cpu.run.exit_reason == 17)
    #expect(cpu.run.internal.suberror == 1)
  }

  @Test("The I/O APIC and the local APIC's page are the monitor's")
  func localDevices() {
    cpu.state.registers.rax = 1
    cpu.state.registers.rbx = 0xfec0_0000
    #expect(run([0x89, 0x03], at: 0xfec0_0000, write: true) == [])
    cpu.state.registers.rbx = 0xfec0_0010
    #expect(run([0x8b, 0x03], at: 0xfec0_0010, write: false) == [])
    #expect(cpu.state.registers.rax == 0x17_0011)
    cpu.state.registers.rbx = 0xfee0_0030
    #expect(run([0x8b, 0x03], at: 0xfee0_0030, write: false) == [])
    #expect(cpu.state.registers.rax == 0x5_0014)
    #expect(cpu.control.statistics.exits.6 == 3)
    // In x2APIC mode the page is nobody's.
    cpu.setAPICBaseUnchecked(APICBase(rawValue: 0xfee0_0d00))
    #expect(run([0x8b, 0x03], at: 0xfee0_0030, write: false) == [])
    #expect(cpu.state.registers.rax == 0xffff_ffff)
    #expect(run([0x89, 0x03], at: 0xfee0_0030, write: true) == [])
    cpu.vm.disabled_quirks = UInt32(KVM_X86_QUIRK_LAPIC_MMIO_HOLE)
    #expect(
      run([0x8b, 0x03], at: 0xfee0_0030, write: false, answer: 0xffff_ffff)
        == [.read(0xfee0_0030, 4)])
  }

  @Test("An operand that begins in memory and ends in a device is split")
  func acrossTheBoundary() {
    cpu.state.registers.rax = 0x4433_2211
    cpu.state.registers.rbx = 0x1f_ffff
    #expect(
      run([0x89, 0x03], at: 0x20_0000, write: true) == [.write(0x20_0000, 3, 0x44_3322)])
    #expect(machine.memory[Self.ram + 0x1f_ffff, as: UInt8.self] == 0x11)
    #expect(
      run([0x8b, 0x0b], at: 0x20_0000, write: false, answer: 0x99_8877)
        == [.read(0x20_0000, 3)])
    #expect(cpu.state.registers.rcx == 0x9988_7711)
  }

  @Test("PUSH and POP with the stack in a device")
  func deviceStack() {
    unit.stackPointer = Self.device + 16
    cpu.state.registers.rax = 7
    #expect(run([0x50], at: Self.device + 12, write: true) == [.write(Self.device + 12, 4, 7)])
    #expect(unit.stackPointer == Self.device + 12)
    #expect(
      run([0x5a], at: Self.device + 12, write: false, answer: 9)
        == [.read(Self.device + 12, 4)])
    #expect(cpu.state.registers.rdx == 9)
    #expect(unit.stackPointer == Self.device + 16)
  }
}
