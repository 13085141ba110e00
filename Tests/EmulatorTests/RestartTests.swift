// SPDX-License-Identifier: Apache-2.0
import Emulator
import Testing
import X86

/// What is left where an instruction does not come to its end, and what holds after it does.
@Suite("Faults, restarts and steps")
struct RestartTests {
  let arena = Arena()
  let machine = TestMachine()
  var boundary: UInt64 { arena.data + 4096 }

  init() { machine.instructionPointer = 0x1000 }

  private func absent(_ page: Int, _ fault: GuestFault = GuestFault(.pageFault, errorCode: 2)) {
    machine.absent[arena.data >> 12 + UInt64(page)] = fault
  }

  @Test("A fault in the second page leaves everything as it was")
  func secondPage() {
    absent(1)
    machine.registers[3] = boundary - 2
    machine.registers[0] = .max
    let before = arena.contents
    // mov [rbx], eax; xadd [rbx], eax; push with the stack there
    for bytes in [[0x89, 0x03], [0x0f, 0xc1, 0x03]] as [[UInt8]] {
      #expect(
        machine.run(bytes)
          == .fault(GuestFault(.pageFault, errorCode: 2, address: boundary)))
    }
    machine.registers[4] = boundary + 6
    #expect(machine.run([0x50]) == .fault(GuestFault(.pageFault, errorCode: 2, address: boundary)))
    #expect(machine.registers[4] == boundary + 6)
    #expect(machine.registers[0] == .max)
    #expect(machine.instructionPointer == 0x1000)
    #expect(arena.contents == before)
  }

  @Test("A repeated string instruction keeps what it has done before a fault")
  func repeated() {
    absent(1)
    machine.registers[7] = boundary - 3
    machine.registers[1] = 10
    machine.registers[0] = 0x5a
    let outcome = machine.run([0xf3, 0xaa])
    #expect(outcome == .fault(GuestFault(.pageFault, errorCode: 2, address: boundary)))
    #expect(machine.registers[1] == 7)
    #expect(machine.registers[7] == boundary)
    #expect(machine.instructionPointer == 0x1000)
    #expect(machine.flags.contains(.resume))
    #expect(arena.contents[4093...4095] == [0x5a, 0x5a, 0x5a])
    machine.absent = [:]
    #expect(machine.run([0xf3, 0xaa]) == .completed([]))
    #expect(machine.instructionPointer == 0x1002)
    #expect(machine.registers[1] == 0)
    #expect(!machine.flags.contains(.resume))
  }

  @Test("A long repetition lets the guest take interrupts, with RIP at the instruction")
  func longRepetition() {
    machine.registers[7] = arena.data
    machine.registers[1] = 1000
    #expect(machine.run([0xf3, 0xaa]) == .completed(.repeats))
    #expect(machine.instructionPointer == 0x1000)
    #expect(machine.registers[1] == 1000 - 256)
    #expect(machine.flags.contains(.resume))
    #expect(machine.finish([0xf3, 0xaa]) == .completed([]))
    #expect(machine.registers[7] == arena.data + 1000)
  }

  @Test("Nothing to repeat is done at once, and touches nothing")
  func noRepetition() {
    absent(0)
    machine.registers[7] = arena.data
    #expect(machine.run([0xf3, 0xaa]) == .completed([]))
    #expect(machine.instructionPointer == 0x1002)
  }

  @Test("RCX of 32 bits counts where addresses have 32 bits")
  func addressSize() {
    machine.registers[1] = 0xffff_ffff_0000_0000
    #expect(machine.run([0x67, 0xf3, 0xaa]) == .completed([]))
    #expect(machine.instructionPointer == 0x1003)
  }

  @Test("TF makes a step of every instruction, and of every element")
  func singleStep() {
    machine.flags = [.alwaysOne, .trap]
    machine.registers[3] = arena.data
    #expect(machine.run([0x89, 0x03]) == .completed(.singleStep))
    machine.registers[7] = arena.data
    machine.registers[1] = 2
    machine.instructionPointer = 0x1000
    #expect(machine.run([0xf3, 0xaa]) == .completed([.singleStep, .repeats]))
    #expect(machine.registers[1] == 1)
    #expect(machine.instructionPointer == 0x1000)
    #expect(machine.run([0xf3, 0xaa]) == .completed(.singleStep))
    #expect(machine.instructionPointer == 0x1002)
  }

  @Test("RF is cleared by an instruction that completes")
  func resumeFlag() {
    machine.flags = [.alwaysOne, .resume]
    machine.registers[3] = arena.data
    #expect(machine.run([0x89, 0x03]) == .completed([]))
    #expect(machine.flags == .alwaysOne)
  }

  @Test(
    "Division faults where the quotient does not fit",
    arguments: [
      // Opcode, AX, divisor: DIV and IDIV of bytes.
      ([UInt8(0xf6), 0x33], UInt64(0x0100), UInt8(0)), ([0xf6, 0x33], 0x0100, 1),
      ([0xf6, 0x3b], 0x0080, 1), ([0xf6, 0x3b], 0xff7f, 1), ([0xf6, 0x3b], 0x8000, 0xff),
      ([0xf6, 0x3b], 0x0001, 0),
    ])
  func division(bytes: [UInt8], dividend: UInt64, divisor: UInt8) {
    var contents = arena.contents
    contents[0] = divisor
    arena.contents = contents
    machine.registers[3] = arena.data
    machine.registers[0] = dividend
    #expect(machine.run(bytes) == .fault(GuestFault(.divideError)))
    #expect(machine.registers[0] == dividend)
    #expect(machine.instructionPointer == 0x1000)
  }

  @Test("The quotients at the ends of the range fit")
  func lastQuotients() {
    var contents = arena.contents
    contents[0] = 1
    arena.contents = contents
    machine.registers[3] = arena.data
    machine.registers[0] = 0xff80
    #expect(machine.run([0xf6, 0x3b]) == .completed([]))
    #expect(machine.registers[0] == 0x0080)
  }

  @Test("An address that is not canonical is refused, on the stack as a stack fault")
  func canonical() {
    machine.registers[3] = 0x8000_0000_0000
    #expect(machine.run([0x8b, 0x03]) == .fault(.generalProtection))
    machine.registers[5] = 0x8000_0000_0000
    #expect(machine.run([0x8b, 0x45, 0x00]) == .fault(GuestFault(.stackFault)))
    machine.registers[3] = 0x7fff_ffff_fffd
    #expect(machine.run([0x8b, 0x03]) == .fault(.generalProtection))
  }

  @Test("Vectors that have to be aligned are")
  func alignment() {
    machine.registers[3] = arena.data + 8
    #expect(machine.run([0x0f, 0x28, 0x03]) == .fault(.generalProtection))
    #expect(machine.run([0x0f, 0x10, 0x03]) == .completed([]))
    // cmpxchg16b
    #expect(machine.run([0x48, 0x0f, 0xc7, 0x0b]) == .fault(.generalProtection))
  }

  @Test("What is cut off is fetched again, and what is too long is a fault")
  func lengths() {
    let short = InstructionBytes(low: 0x03_8b, count: 1)
    var emulator = Emulator()
    #expect(emulator.run(short, .bits64, on: machine.context) == .fetchAgain)
    let long = Array(repeating: UInt8(0x66), count: 14) + [0x8b, 0x03]
    #expect(machine.run(long) == .fault(.generalProtection))
    machine.registers[3] = arena.data
    #expect(machine.run(Array(long.dropFirst())) == .completed([]))
  }

  @Test(
    "Refuses with its bytes what it does not know",
    arguments: [
      "c5f86f03", "62f17c481003", "d803", "0f7f03", "0f6f03", "0f01d9", "0f0113",
      "ff1b", "f4", "0f3a0f03", "f20f38f003", "0fc703", "0fba1b", "f08b03", "f00fa303", "8e0b",
      "0f0b", "06", "f00fae3b", "66ff13", "660f7ec0", "0fb803", "c60b00", "8f0b",
    ])
  func refusals(text: String) {
    machine.registers[3] = arena.data
    let bytes = InstructionBytes(hexadecimal(text))
    var emulator = Emulator()

    #expect(emulator.run(bytes, .bits64, on: machine.context) == .refused(bytes))
  }
}

/// The bytes of a string of hexadecimal digits.
func hexadecimal(_ text: String) -> [UInt8] {
  let digits = text.compactMap(\.hexDigitValue)
  return stride(from: 0, to: digits.count - 1, by: 2).map {
    UInt8(digits[$0] << 4 | digits[$0 + 1])
  }
}
