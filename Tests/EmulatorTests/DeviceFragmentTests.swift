// SPDX-License-Identifier: Apache-2.0
import Emulator
import Testing
import X86

/// What a client is asked, in which parts and in which order.
@Suite("Accesses to devices")
struct DeviceFragmentTests {
  let arena = Arena()
  let machine = TestMachine()
  var boundary: UInt64 { arena.data + 4096 }

  init() {
    machine.instructionPointer = 0x1000
    var contents = arena.contents
    for index in contents.indices { contents[index] = UInt8(truncatingIfNeeded: index &* 7 &+ 1) }
    arena.contents = contents
  }

  private func devices(_ pages: Int...) {
    machine.devices = Set(pages.map { arena.data >> 12 + UInt64($0) })
  }

  private func number(_ address: UInt64, _ size: UInt8) -> UInt64 {
    machine.answer(DeviceAccess(.memory, at: address, size: size))
  }

  private func read(_ address: UInt64, _ size: UInt8) -> DeviceAccess {
    DeviceAccess(.memory, at: address, size: size)
  }

  private func write(_ address: UInt64, _ size: UInt8, _ value: UInt64) -> DeviceAccess {
    DeviceAccess(.memory, at: address, size: size, isWrite: true, value: value)
  }

  @Test("A read across two devices is two reads")
  func twoReads() {
    devices(0, 1)
    machine.registers[3] = boundary - 3
    let expected = number(boundary - 3, 8)
    // mov rax, [rbx]
    #expect(machine.run([0x48, 0x8b, 0x03]) == .completed([]))
    #expect(machine.asked == [read(boundary - 3, 3), read(boundary, 5)])
    #expect(machine.registers[0] == expected)
    #expect(machine.instructionPointer == 0x1003)
  }

  @Test("Sixteen bytes across a page are parts of at most eight")
  func vectorParts() {
    devices(0, 1)
    machine.registers[3] = boundary - 4
    let expected = Wide(low: number(boundary - 4, 8), high: number(boundary + 4, 8))
    // movups xmm2, [rbx]
    #expect(machine.run([0x0f, 0x10, 0x13]) == .completed([]))
    #expect(
      machine.asked == [read(boundary - 4, 4), read(boundary, 8), read(boundary + 8, 4)])
    #expect(machine.vectors[2] == expected)
  }

  @Test("A write from memory into a device asks only for the device's part")
  func mixedWrite() {
    devices(1)
    machine.registers[3] = boundary - 1
    machine.registers[0] = 0x4433_2211
    // mov [rbx], eax
    #expect(machine.run([0x89, 0x03]) == .completed([]))
    #expect(machine.asked == [write(boundary, 3, 0x44_3322)])
    #expect(number(boundary - 1, 4) == 0x4433_2211)
  }

  @Test("XADD across two devices reads twice, then writes twice")
  func readsBeforeWrites() {
    devices(0, 1)
    machine.registers[3] = boundary - 2
    machine.registers[0] = 1
    let before = number(boundary - 2, 4)
    // lock xadd [rbx], eax
    #expect(machine.run([0xf0, 0x0f, 0xc1, 0x03]) == .completed([]))
    #expect(machine.asked.map(\.isWrite) == [false, false, true, true])
    #expect(machine.registers[0] == before)
    #expect(number(boundary - 2, 4) == (before + 1) & 0xffff_ffff)
  }

  @Test("MOVS between two devices")
  func moveString() {
    devices(0, 2)
    machine.registers[6] = arena.data + 16
    machine.registers[7] = arena.data + 2 * 4096 + 32
    machine.registers[1] = 3
    let expected = number(arena.data + 16, 8)
    // rep movsw
    #expect(machine.finish([0xf3, 0x66, 0xa5]) == .completed([]))
    #expect(machine.asked.map(\.isWrite) == [false, true, false, true, false, true])
    #expect(machine.registers[1] == 0)
    #expect(machine.registers[6] == arena.data + 22)
    #expect(machine.registers[7] == arena.data + 2 * 4096 + 38)
    #expect(number(arena.data + 2 * 4096 + 32, 6) == expected & 0xffff_ffff_ffff)
  }

  @Test("A device that answers at once costs no question")
  func local() {
    devices(0)
    machine.devicesAreLocal = true
    machine.registers[3] = arena.data + 8
    machine.registers[1] = 5
    // add [rbx], ecx
    let before = number(arena.data + 8, 4)
    #expect(machine.run([0x01, 0x0b]) == .completed([]))
    #expect(machine.asked.isEmpty)
    #expect(number(arena.data + 8, 4) == (before + 5) & 0xffff_ffff)
  }

  @Test("A write to memory that can only be read goes to the client")
  func readOnly() {
    machine.readOnly = [arena.data >> 12]
    machine.registers[3] = arena.data + 8
    let before = number(arena.data + 8, 1)
    var emulator = Emulator()
    // inc byte [rbx]
    let outcome = emulator.run(InstructionBytes([0xfe, 0x03]), .bits64, on: machine.context)
    #expect(outcome == .asksClient(write(arena.data + 8, 1, (before + 1) & 0xff)))
    #expect(number(arena.data + 8, 1) == before)
    #expect(emulator.resume(on: machine.context) == .completed([]))
  }

  @Test("PUSH and POP with the stack in a device")
  func stack() {
    devices(1)
    machine.registers[4] = boundary + 64
    machine.registers[0] = 0x1122_3344_5566_7788
    #expect(machine.run([0x50]) == .completed([]))
    #expect(machine.asked == [write(boundary + 56, 8, 0x1122_3344_5566_7788)])
    #expect(machine.registers[4] == boundary + 56)
    machine.asked = []
    // pop rdx
    #expect(machine.run([0x5a]) == .completed([]))
    #expect(machine.asked == [read(boundary + 56, 8)])
    #expect(machine.registers[2] == 0x1122_3344_5566_7788)
    #expect(machine.registers[4] == boundary + 64)
  }

  @Test("INS reads the port before it writes the device, OUTS the other way round")
  func ports() {
    devices(0)
    machine.registers[2] = 0xfff_0060
    machine.ports[0x60] = 0xabcd
    machine.registers[7] = arena.data
    machine.registers[1] = 2
    // rep insw
    #expect(machine.finish([0xf3, 0x66, 0x6d]) == .completed([]))
    #expect(machine.asked.map(\.space) == [.port, .memory, .port, .memory])
    #expect(machine.asked.map(\.isWrite) == [false, true, false, true])
    #expect(number(arena.data, 4) == 0xabcd_abcd)
    machine.asked = []
    machine.registers[6] = arena.data
    // outsb
    #expect(machine.run([0x6e]) == .completed([]))
    #expect(
      machine.asked == [
        read(arena.data, 1),
        DeviceAccess(.port, at: 0x60, size: 1, isWrite: true, value: 0xcd),
      ])
  }

  @Test("Takes the address of a fault for the operand's, if it can be that")
  func knownAddress() {
    machine.devicesAreLocal = true
    let device = arena.data + 2 * 4096
    machine.devices = [device >> 12]
    // The linear address is in another page than the device that is behind it.
    machine.registers[3] = arena.data + 0x20
    // mov [rbx], eax: the plain move, and the same with a prefix that makes it another one.
    for (value, bytes) in [(UInt64(0x1234), [UInt8(0x89), 0x03]), (0x5678, [0x3e, 0x89, 0x03])] {
      machine.registers[0] = value
      #expect(machine.run(bytes, faultAddress: GuestPhysical(device + 0x20)) == .completed([]))
      #expect(number(device + 0x20, 4) == value)
    }
    #expect(
      machine.run([0x8b, 0x0b], faultAddress: GuestPhysical(device + 0x20)) == .completed([]))
    #expect(machine.registers[1] == 0x5678)
    // Not at the same place in its page.
    machine.registers[0] = 0x9999
    #expect(
      machine.run([0x89, 0x03], faultAddress: GuestPhysical(device + 0x30)) == .completed([]))
    #expect(number(arena.data + 0x20, 4) == 0x9999)
  }

  @Test("Asks anew where the guest's registers have changed meanwhile")
  func changedRegisters() {
    devices(0)
    machine.registers[3] = arena.data + 8
    var emulator = Emulator()
    let bytes = InstructionBytes([0x8b, 0x03])
    #expect(
      emulator.run(bytes, .bits64, on: machine.context) == .asksClient(read(arena.data + 8, 4)))
    machine.registers[3] = arena.data + 16
    #expect(
      emulator.resume(answer: 7, on: machine.context) == .asksClient(read(arena.data + 16, 4)))
    #expect(emulator.resume(answer: 9, on: machine.context) == .completed([]))
    #expect(machine.registers[0] == 9)
  }

  @Test("Repeated INS and OUTS exchange what lies in one page at once")
  func blocks() {
    let block = UnsafeMutablePointer<UInt8>.allocate(capacity: 4096)
    block.initialize(repeating: 0xee, count: 4096)
    defer { block.deallocate() }
    machine.block = block
    machine.registers[2] = 0x1f0
    machine.registers[6] = boundary - 6
    machine.registers[1] = 5
    let expected = number(boundary - 6, 6)
    // rep outsw: three elements to the end of the page, two after it.
    #expect(machine.run([0xf3, 0x66, 0x6f]) == .completed(.repeats))
    #expect(
      machine.asked == [DeviceAccess(.port, at: 0x1f0, size: 2, count: 3, isWrite: true)])
    #expect(
      (0..<6).allSatisfy { block[$0] == UInt8(truncatingIfNeeded: expected >> UInt64($0 * 8)) })
    #expect(block[6] == 0xee)
    #expect(machine.registers[1] == 2)
    #expect(machine.registers[6] == boundary)
    #expect(machine.instructionPointer == 0x1000)
    machine.asked = []
    machine.registers[7] = boundary - 5
    machine.registers[1] = 3
    block[0] = 0x11
    block[4] = 0x55
    // rep insb
    #expect(machine.finish([0xf3, 0x6c]) == .completed([]))
    #expect(machine.asked == [DeviceAccess(.port, at: 0x1f0, size: 1, count: 3)])
    #expect(number(boundary - 5, 1) == 0x11)
    #expect(machine.registers[1] == 0)
    #expect(machine.registers[7] == boundary - 2)
    // Not where the memory is a device's, nor downwards.
    machine.asked = []
    devices(0)
    machine.registers[7] = arena.data
    machine.registers[1] = 2
    #expect(machine.finish([0xf3, 0x6c]) == .completed([]))
    #expect(machine.asked.map(\.count) == [1, 1, 1, 1])
    machine.asked = []
    machine.devices = []
    machine.flags = [.alwaysOne, .direction]
    machine.registers[7] = arena.data + 8
    machine.registers[1] = 2
    #expect(machine.finish([0xf3, 0x6c]) == .completed([]))
    #expect(machine.asked.map(\.count) == [1, 1])
    #expect(machine.registers[7] == arena.data + 6)
  }
}
