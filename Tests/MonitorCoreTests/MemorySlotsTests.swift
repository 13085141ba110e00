// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing
import X86

@testable import MonitorCore

@Suite("Memory slots")
struct MemorySlotsTests {
  let machine = PretendedMachine(cpus: 2)
  static let base = PretendedMachine.guestPhysical

  func translate(_ address: UInt64) -> UInt64? {
    machine.cpu.tables.translate(GuestPhysical(address))?.physical.rawValue
  }

  @Test("A slot is memory after the next look at the table, and the vCPU says so")
  func add() {
    machine.publish([.init(address: 0, size: 0x4000, physical: Self.base)])
    #expect(translate(0) == nil)
    machine.cpu.followSlots()
    #expect(translate(0x3fff) == Self.base + 0x3fff)
    #expect(translate(0x4000) == nil)
    #expect(machine.cpu.control.slots_generation == 1)
    #expect(machine.cpu.machine.slots.shortages == 0)
  }

  @Test("Each vCPU forgets its own translations once, also if another one did the work")
  func flush() {
    let before = machine.units.map(\.flushes)
    machine.publish([.init(address: 0, size: 0x1000, physical: Self.base)])
    machine.cpus[0].followSlots()
    machine.cpus[1].followSlots()
    machine.cpus[1].followSlots()
    #expect(machine.cpus[1].control.slots_generation == 1)
    #expect(machine.units.map(\.flushes) == before.map { $0 + 1 })
  }

  @Test("A slot that is unchanged keeps its pages, one that went loses them")
  func remove() {
    machine.publish([
      .init(address: 0, size: 0x2000, physical: Self.base),
      .init(address: 0x10_0000, size: 0x2000, physical: Self.base + 0x10_0000),
    ])
    machine.cpu.followSlots()
    machine.publish([
      .init(address: 0, size: 0x2000, physical: Self.base, generation: 1),
      .init(address: 0, size: 0, physical: 0),
    ])
    machine.cpu.followSlots()
    #expect(translate(0x1000) == Self.base + 0x1000)
    #expect(translate(0x10_0000) == nil)
  }

  @Test("A slot that moved is at its new place only")
  func move() {
    machine.publish([.init(address: 0, size: 0x2000, physical: Self.base)])
    machine.cpu.followSlots()
    machine.publish([.init(address: 0x1000, size: 0x2000, physical: Self.base)])
    machine.cpu.followSlots()
    #expect(translate(0) == nil)
    #expect(translate(0x1000) == Self.base)
    #expect(translate(0x2000) == Self.base + 0x1000)
  }

  @Test("Two slots may change places in one step")
  func exchange() {
    machine.publish([
      .init(address: 0, size: 0x1000, physical: Self.base),
      .init(address: 0x1000, size: 0x1000, physical: Self.base + 0x1000),
    ])
    machine.cpu.followSlots()
    machine.publish([
      .init(address: 0x1000, size: 0x1000, physical: Self.base),
      .init(address: 0, size: 0x1000, physical: Self.base + 0x1000),
    ])
    machine.cpu.followSlots()
    #expect(translate(0) == Self.base + 0x1000)
    #expect(translate(0x1000) == Self.base)
  }

  @Test("A table that nobody looked at is passed over")
  func skipped() {
    machine.publish([.init(address: 0, size: 0x1000, physical: Self.base)])
    machine.publish([.init(address: 0x5000, size: 0x1000, physical: Self.base)])
    machine.publish([.init(address: 0x9000, size: 0x1000, physical: Self.base)])
    machine.cpu.followSlots()
    #expect(translate(0) == nil)
    #expect(translate(0x5000) == nil)
    #expect(translate(0x9000) == Self.base)
  }

  @Test("A read-only slot is not writable")
  func readOnly() {
    machine.publish([
      .init(address: 0xf_0000, size: 0x1_0000, physical: Self.base, isReadOnly: true)
    ])
    machine.cpu.followSlots()
    #expect(machine.cpu.tables.translate(0xf_0000)?.isWritable == false)
    #expect(!machine.cpu.memory.write(0xf_0000, 1, size: 4))
    #expect(machine.cpu.memory.read(0xf_0000, size: 4) == 0)
  }

  @Test("The largest page that fits is used: both addresses aligned and all of it there")
  func largest() {
    // 2 MiB - 4 KiB to 4 MiB + 4 KiB: one page, one large page, one page.
    machine.publish([
      .init(address: 0x1f_f000, size: 0x20_2000, physical: Self.base + 0x1f_f000)
    ])
    machine.cpu.followSlots()
    for address in [0x1f_f000, 0x20_0000, 0x3f_ffff, 0x40_0fff] as [UInt64] {
      #expect(translate(address) == Self.base + address)
    }
    #expect(translate(0x40_1000) == nil)
    #expect(leafLevel(of: 0x1f_f000) == 1)
    #expect(leafLevel(of: 0x20_0000) == 2)
    #expect(leafLevel(of: 0x40_0000) == 1)
  }

  @Test("Addresses that are aligned differently get small pages")
  func unaligned() {
    machine.publish([
      .init(address: 0x20_0000, size: 0x20_0000, physical: Self.base + 0x1000)
    ])
    machine.cpu.followSlots()
    #expect(leafLevel(of: 0x20_0000) == 1)
    #expect(translate(0x3f_ffff) == Self.base + 0x20_0fff)
  }

  @Test("A GiB is one page where the processor has such pages, and 512 where not")
  func gigabyte() {
    for (has, level) in [(true, 3), (false, 2)] {
      let machine = PretendedMachine()
      machine.unit.hasGigabytePages = has
      // Only tables are touched, so the memory need not be there.
      machine.publish([.init(address: 1 << 30, size: 1 << 30, physical: 1 << 31)])
      machine.cpu.followSlots()
      #expect(machine.cpu.tables.translate(0x7fff_ffff)?.physical == 0xbfff_ffff)
      #expect(leafLevel(of: 1 << 30, machine) == level)
    }
  }

  @Test("Extents over several pages of the list are all mapped")
  func extents() {
    machine.publish([
      .init(address: 0, size: 0x7000, physical: Self.base, extentPages: 1)
    ])
    machine.cpu.followSlots()
    for page in UInt64(0)..<7 { #expect(translate(page * 0x1000) == Self.base + page * 0x1000) }
    #expect(translate(0x7000) == nil)
  }

  @Test("Too few tables are counted, and the guest faults on the rest")
  func shortage() {
    machine.publish([.init(address: 0, size: 0x1000, physical: Self.base, tables: 2)])
    machine.cpu.followSlots()
    #expect(machine.cpu.machine.slots.shortages == 1)
    #expect(translate(0) == nil)
  }

  @Test("A client that moves a slot for ever needs no more tables than at first")
  func tablesAreReused() {
    machine.publish([.init(address: 0, size: 0x2000, physical: Self.base, tables: 3)])
    for round in UInt64(1)..<200 {
      machine.cpu.followSlots()
      machine.cpu.vm.slots_settled = machine.cpu.vm.slots_generation
      machine.publish([
        .init(address: (round & 7) << 30, size: 0x2000, physical: Self.base, tables: 0)
      ])
      // The driver settles a slot that went before another comes.
      machine.cpu.vm.slots_settled = machine.cpu.vm.slots_generation
    }
    machine.cpu.followSlots()
    #expect(machine.cpu.machine.slots.shortages == 0)
    #expect(translate(7 << 30) == Self.base)
  }

  @Test("A table that was left empty waits until every vCPU has acknowledged")
  func unsettled() {
    machine.publish([.init(address: 0, size: 0x1000, physical: Self.base, tables: 3)])
    machine.cpu.followSlots()
    machine.publish([.init(address: 1 << 30, size: 0x1000, physical: Self.base, tables: 0)])
    machine.cpu.followSlots()
    #expect(machine.cpu.machine.slots.shortages == 1)
    machine.cpu.vm.slots_settled = machine.cpu.vm.slots_generation
    machine.publish([.init(address: 1 << 30, size: 0x1000, physical: Self.base, tables: 0)])
    machine.cpu.followSlots()
    #expect(machine.cpu.machine.slots.shortages == 1)
    #expect(translate(1 << 30) == Self.base)
  }

  @Test("The last of all slots is memory too")
  func lastSlot() {
    var slots = Array(
      repeating: PretendedMachine.Slot(address: 0, size: 0, physical: 0), count: Int(APUS_SLOTS))
    slots[Int(APUS_SLOTS) - 1] = .init(address: 0x5000, size: 0x1000, physical: Self.base)
    machine.publish(slots)
    machine.cpu.followSlots()
    #expect(translate(0x5000) == Self.base)
    machine.publish([])
    machine.cpu.followSlots()
    #expect(translate(0x5000) == nil)
  }

  func leafLevel(of address: UInt64, _ other: PretendedMachine? = nil) -> Int {
    let machine = other ?? machine
    var table = machine.cpu.machine.nestedRoot.rawValue
    for level in stride(from: 4, through: 1, by: -1) {
      let index = address >> UInt64(12 + 9 * (level - 1)) & 511
      let entry = machine.memory[table + index * 8, as: UInt64.self]
      if entry & 0x400 != 0 { return level }
      table = entry & ~0xfff
    }
    return 0
  }
}
