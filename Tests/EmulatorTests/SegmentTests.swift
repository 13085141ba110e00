// SPDX-License-Identifier: Apache-2.0
import Emulator
import Glibc
import Testing
import X86

/// Code of 16 and 32 bits, whose operands lie in the low 4 GiB of the test's own addresses.
@Suite("Segments", .serialized)
struct SegmentTests {
  let machine = TestMachine()
  /// Four pages below 4 GiB.
  let memory: UnsafeMutablePointer<UInt8>
  var address: UInt64 { UInt64(UInt(bitPattern: memory)) }

  init() throws {
    let flags = MAP_PRIVATE | MAP_ANONYMOUS | Int32(MAP_32BIT)
    let pages = mmap(nil, 4 * 4096, PROT_READ | PROT_WRITE, flags, -1, 0)
    try #require(pages != MAP_FAILED)
    memory = try #require(pages).bindMemory(to: UInt8.self, capacity: 4 * 4096)
    machine.codeSize = .bits32
    machine.isLongModeActive = false
    machine.instructionPointer = 0x1000
  }

  private func segment(
    _ name: SegmentName, base: UInt64, limit: UInt32, _ attributes: UInt32 = 0xc093
  ) {
    machine.segments[name.rawValue] = Segment(
      selector: 8, attributes: SegmentAttributes(rawValue: attributes), limit: limit, base: base)
  }

  @Test("The base is added, and addresses wrap at 4 GiB")
  func base() {
    segment(.ds, base: address, limit: .max)
    memory[16] = 0x77
    machine.registers[3] = 16
    #expect(machine.run([0x8a, 0x03]) == .completed([]))
    #expect(machine.registers[0] == 0x77)
    segment(.ds, base: address + 0x100, limit: .max)
    machine.registers[3] = 0x1_0000_0000 - 0xf0
    #expect(machine.run([0x8a, 0x23]) == .completed([]))
    #expect(machine.registers[0] == 0x7777)
  }

  @Test("The limit is that of the last byte")
  func limit() {
    segment(.ds, base: address, limit: 0x13)
    machine.registers[3] = 0x10
    #expect(machine.run([0x8b, 0x03]) == .completed([]))
    machine.registers[3] = 0x11
    #expect(machine.run([0x8b, 0x03]) == .fault(.generalProtection))
    segment(.ss, base: address, limit: 0x13)
    machine.registers[5] = 0x11
    #expect(machine.run([0x8b, 0x45, 0x00]) == .fault(GuestFault(.stackFault)))
  }

  @Test("An expand-down segment has what is above its limit")
  func expandDown() {
    segment(.ds, base: address, limit: 0x0fff, 0x4097)
    machine.registers[3] = 0x1000
    #expect(machine.run([0x89, 0x03]) == .completed([]))
    machine.registers[3] = 0x0fff
    #expect(machine.run([0x89, 0x03]) == .fault(.generalProtection))
    // Without B it ends at 64 KiB.
    segment(.ds, base: address, limit: 0x0fff, 0x0097)
    machine.registers[3] = 0xfffd
    #expect(machine.run([0x8b, 0x03]) == .fault(.generalProtection))
  }

  @Test("Rights count in protected mode, and not in real mode")
  func rights() {
    segment(.ds, base: address, limit: .max, 0xc091)
    #expect(machine.run([0x8b, 0x03]) == .completed([]))
    #expect(machine.run([0x89, 0x03]) == .fault(.generalProtection))
    segment(.ds, base: address, limit: .max, 0xc099)
    #expect(machine.run([0x8b, 0x03]) == .fault(.generalProtection))
    segment(.ds, base: 0, limit: .max, 1 << 16)
    #expect(machine.run([0x8b, 0x03]) == .fault(.generalProtection))
    machine.controlRegister0 = []
    segment(.cs, base: address, limit: 0xffff, 0x009b)
    #expect(machine.run([0x2e, 0x89, 0x03]) == .completed([]))
  }

  @Test("Addresses of 16 bits")
  func shortAddresses() {
    machine.codeSize = .bits16
    segment(.ds, base: address, limit: 0xffff)
    segment(.ss, base: address + 4096, limit: 0xffff)
    machine.registers[3] = 0x30
    machine.registers[6] = 0xfff0
    machine.registers[5] = 0x10
    memory[0x20] = 1
    memory[4096 + 0x12] = 2
    memory[0x1234] = 3
    // mov al, [bx + si]; mov al, [bp + 2]; mov al, [1234h]
    for (bytes, value) in [
      ([UInt8(0x8a), 0x00], UInt64(1)), ([0x8a, 0x46, 0x02], 2), ([0x8a, 0x06, 0x34, 0x12], 3),
    ] {
      #expect(machine.run(bytes) == .completed([]))
      #expect(machine.registers[0] & 0xff == value)
    }
    #expect(machine.instructionPointer == 0x1000 + 2 + 3 + 4)
  }

  @Test("The stack has the size that SS says")
  func stackSize() {
    segment(.ss, base: address, limit: 0xffff, 0x0093)
    machine.registers[4] = 0xabcd_0002
    machine.registers[0] = 0x1122_3344
    #expect(machine.run([0x66, 0x50]) == .completed([]))
    #expect(machine.registers[4] == 0xabcd_0000)
    #expect(memory[0] == 0x44 && memory[1] == 0x33)
    #expect(machine.run([0x66, 0x5a]) == .completed([]))
    #expect(machine.registers[2] == 0x3344)
    #expect(machine.registers[4] == 0xabcd_0002)
  }

  @Test("MOV to a segment register in real mode")
  func realMode() {
    machine.controlRegister0 = []
    machine.codeSize = .bits16
    segment(.ds, base: address, limit: 0xffff, 0x0093)
    memory[0] = 0x34
    memory[1] = 0x12
    machine.registers[3] = 0
    // mov es, [bx]
    #expect(machine.run([0x8e, 0x07]) == .completed([]))
    #expect(machine.segments[SegmentName.es.rawValue].base == 0x12340)
    #expect(machine.segments[SegmentName.es.rawValue].selector == 0x1234)
  }

  /// Puts a descriptor into the table at `memory`, and a selector at its second page.
  private func load(_ descriptor: UInt64, _ selector: UInt16, _ bytes: [UInt8]) -> EmulatorOutcome {
    segment(.ds, base: address, limit: .max)
    machine.globalDescriptorTable = DescriptorTable(limit: 0x3f, base: address)
    for index in 0..<8 {
      memory[Int(selector & 0xfff8) + index] = UInt8(
        truncatingIfNeeded: descriptor >> UInt64(index * 8))
    }
    memory[4096] = UInt8(truncatingIfNeeded: selector)
    memory[4097] = UInt8(truncatingIfNeeded: selector >> 8)
    machine.registers[3] = 4096
    return machine.run(bytes)
  }

  @Test("MOV to a segment register reads the descriptor and marks it accessed")
  func descriptor() {
    // Writable data, base 11223344, limit 5 pages.
    let descriptor: UInt64 = 0x11c0_9222_3344_0005
    #expect(load(descriptor, 0x10, [0x8e, 0x03]) == .completed([]))
    let es = machine.segments[SegmentName.es.rawValue]
    #expect(es.base == 0x1122_3344)
    #expect(es.limit == 0x5fff)
    #expect(es.attributes.rawValue == 0xc093)
    #expect(memory[0x15] == 0x93)
  }

  @Test("MOV SS holds interrupts and the step off")
  func stackSegment() {
    machine.flags = [.alwaysOne, .trap]
    #expect(load(0x00cf_9300_0000_ffff, 0x18, [0x8e, 0x13]) == .completed(.interruptShadow))
    #expect(machine.segments[SegmentName.ss.rawValue].selector == 0x18)
  }

  @Test("Descriptors that a segment register cannot take are refused")
  func refusedDescriptors() {
    // Beyond the table, absent, code that cannot be read, and read-only for SS.
    #expect(
      load(0x00cf_9300_0000_ffff, 0x48, [0x8e, 0x03])
        == .fault(GuestFault(.generalProtection, errorCode: 0x48)))
    #expect(
      load(0x00cf_1300_0000_ffff, 0x18, [0x8e, 0x03])
        == .fault(GuestFault(.segmentNotPresent, errorCode: 0x18)))
    #expect(
      load(0x00cf_9900_0000_ffff, 0x18, [0x8e, 0x03])
        == .fault(GuestFault(.generalProtection, errorCode: 0x18)))
    #expect(
      load(0x00cf_9100_0000_ffff, 0x18, [0x8e, 0x13])
        == .fault(GuestFault(.generalProtection, errorCode: 0x18)))
    #expect(load(0, 0, [0x8e, 0x13]) == .fault(.generalProtection))
    #expect(load(0, 0, [0x8e, 0x03]) == .completed([]))
    #expect(machine.segments[SegmentName.es.rawValue].attributes.isUnusable)
  }

  @Test("LTR marks its task busy, and LLDT takes a table")
  func system() {
    #expect(load(0x1100_8922_3344_0067, 0x20, [0x0f, 0x00, 0x1b]) == .completed([]))
    #expect(machine.segments[SegmentName.tr.rawValue].base == 0x1122_3344)
    #expect(machine.segments[SegmentName.tr.rawValue].attributes.type == 11)
    #expect(memory[0x25] == 0x8b)
    // A busy one is refused.
    #expect(
      load(0x1100_8b22_3344_0067, 0x20, [0x0f, 0x00, 0x1b])
        == .fault(GuestFault(.generalProtection, errorCode: 0x20)))
    #expect(load(0x1100_8222_3344_0067, 0x20, [0x0f, 0x00, 0x13]) == .completed([]))
    #expect(machine.segments[SegmentName.ldtr.rawValue].base == 0x1122_3344)
  }

  @Test("SLDT, STR, SMSW and MOV from a segment register store two bytes")
  func stores() {
    segment(.ds, base: address, limit: .max)
    machine.registers[3] = 0
    machine.segments[SegmentName.ldtr.rawValue].selector = 0x1111
    machine.segments[SegmentName.tr.rawValue].selector = 0x2222
    machine.segments[SegmentName.fs.rawValue].selector = 0x3333
    machine.controlRegister0 = [.protectionEnable, .numericError]
    for (bytes, value) in [
      ([UInt8(0x0f), 0x00, 0x03], 0x1111), ([0x0f, 0x00, 0x0b], 0x2222), ([0x8c, 0x23], 0x3333),
      ([0x0f, 0x01, 0x23], 0x21),
    ] {
      memory[2] = 0xee
      #expect(machine.run(bytes) == .completed([]))
      #expect(Int(memory[0]) | Int(memory[1]) << 8 == value)
      #expect(memory[2] == 0xee)
    }
    memory[0] = 0x0f
    memory[1] = 0
    // lmsw [ebx]
    #expect(machine.run([0x0f, 0x01, 0x33]) == .completed([]))
    #expect(machine.statusWord == 0x0f)
  }

  @Test("A near call, a return and a jump in 32-bit code")
  func branches() {
    segment(.ss, base: address, limit: .max)
    segment(.cs, base: 0, limit: 0xffff, 0xc09b)
    machine.registers[4] = 64
    // call +16
    #expect(machine.run([0xe8, 16, 0, 0, 0]) == .completed([]))
    #expect(machine.instructionPointer == 0x1015)
    #expect(machine.registers[4] == 60)
    // ret 8
    #expect(machine.run([0xc2, 8, 0]) == .completed([]))
    #expect(machine.instructionPointer == 0x1005)
    #expect(machine.registers[4] == 72)
    // jmp beyond the limit of CS
    segment(.ds, base: address, limit: .max)
    memory[2] = 1
    machine.registers[3] = 0
    #expect(machine.run([0xff, 0x23]) == .fault(.generalProtection))
  }
}
