// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing
import X86

@testable import MonitorCore

@Suite("The log of written pages")
struct DirtyLogTests {
  let machine = PretendedMachine(cpus: 2)
  static let base = PretendedMachine.guestPhysical
  /// Two logs: the directory, and behind it the only map.
  static let logs: [UInt64] = [30 << 20, 31 << 20]

  init() {
    for log in Self.logs { machine.memory[log + 8, as: UInt64.self] = log + 4096 }
    publish(log: Self.logs[0], sequence: 1)
    machine.cpu.followSlots()
  }

  func publish(log: UInt64, sequence: UInt32, generation: UInt32? = nil) {
    machine.publish([
      .init(
        address: 0, size: 0x40_0000, physical: Self.base, generation: generation, log: log,
        logSequence: sequence)
    ])
  }

  func written(_ log: UInt64, word: UInt64 = 0) -> UInt64 {
    machine.memory[log + 4096 + word * 8, as: UInt64.self]
  }

  func write(_ address: UInt64) -> Outcome {
    machine.cpu.handleNestedFault(
      NestedFault(
        address: GuestPhysical(address), isWrite: true, isExecute: false, isTableWalk: false))
  }

  @Test("The guest's first write to a page is noted, and the second costs no exit")
  func firstWrite() {
    #expect(machine.cpu.tables.translate(0x3000)?.isWritable == false)
    #expect(write(0x3abc) == .resume)
    #expect(written(Self.logs[0]) == 1 << 3)
    #expect(machine.cpu.tables.translate(0x3000)?.isWritable == true)
    #expect(machine.cpu.tables.translate(0x4000)?.isWritable == false)
    #expect(write(0x20_0000) == .resume)
    #expect(written(Self.logs[0], word: 8) == 1)
  }

  @Test("What the monitor writes for the guest is noted, after a read of the same page too")
  func monitorWrites() {
    #expect(machine.cpu.memory.read(0x5000, size: 8) == 0)
    #expect(written(Self.logs[0]) == 0)
    #expect(machine.cpu.memory.write(0x5008, 7, size: 8))
    #expect(written(Self.logs[0]) == 1 << 5)
    #expect(machine.cpu.memory.read(0x5008, size: 8) == 7)
  }

  @Test("After the log has turned each page is noted once more, in the other one")
  func turn() {
    _ = write(0x3000)
    publish(log: Self.logs[1], sequence: 2, generation: 1)
    machine.cpu.followSlots()
    #expect(machine.cpu.tables.translate(0x3000)?.isWritable == false)
    _ = write(0x3000)
    _ = write(0x6000)
    #expect(written(Self.logs[0]) == 1 << 3)
    #expect(written(Self.logs[1]) == 1 << 3 | 1 << 6)
  }

  @Test("Two turns that no vCPU saw leave no page unnoticed")
  func turnedTwice() {
    _ = write(0x3000)
    publish(log: Self.logs[1], sequence: 2, generation: 1)
    publish(log: Self.logs[0], sequence: 3, generation: 1)
    machine.cpu.followSlots()
    #expect(machine.cpu.tables.translate(0x3000)?.isWritable == false)
  }

  @Test("A log may begin and end on memory in large pages while the guest uses it")
  func beginAndEnd() {
    let machine = PretendedMachine()
    let slot = PretendedMachine.Slot(address: 0, size: 0x40_0000, physical: Self.base)
    machine.publish([slot])
    machine.cpu.followSlots()
    var logged = slot
    (logged.log, logged.logSequence, logged.generation) = (Self.logs[0], 1, 1)
    machine.publish([logged])
    machine.cpu.followSlots()
    #expect(machine.cpu.machine.slots.shortages == 0)
    for page in UInt64(0)..<1024 {
      #expect(
        machine.cpu.tables.translate(GuestPhysical(page << 12))
          == .init(physical: HostPhysical(Self.base + page << 12), isWritable: false))
    }
    (logged.log, logged.logSequence) = (0, 2)
    machine.publish([logged])
    machine.cpu.followSlots()
    #expect(machine.cpu.tables.translate(0x12_3000)?.isWritable == true)
  }

  @Test("A read-only slot with a log stays read-only, and a write without memory is the client's")
  func readOnly() {
    let machine = PretendedMachine()
    machine.publish([
      .init(
        address: 0xf_0000, size: 0x1000, physical: Self.base, isReadOnly: true, log: Self.logs[0],
        logSequence: 1)
    ])
    machine.cpu.followSlots()
    #expect(machine.cpu.tables.translate(0xf_0000)?.isWritable == false)
    #expect(!machine.cpu.logWrite(to: 0xf_0000))
    #expect(!machine.cpu.logWrite(to: 0x10_0000))
  }
}
