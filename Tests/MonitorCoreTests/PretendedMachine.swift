// SPDX-License-Identifier: Apache-2.0
import Contract
import X86

@testable import MonitorCore

/// A VM on lent CPUs that are not there. The driver's part is played by the test.
///
/// Physical memory: the VM area at 1 MiB, the areas of vCPU n from (n + 2) MiB on, free pages for
/// nested tables from 24 MiB, extents from 28 MiB, the guest's memory from 32 MiB.
final class PretendedMachine {
  typealias CPU = VirtualCPU<PretendedUnit, PretendedProcessor>

  static let guestPhysical: UInt64 = 32 << 20
  let memory = PretendedMemory(size: 64 << 20)
  private var windows: [PretendedWindow] = []
  private(set) var processors: [PretendedProcessor] = []
  private(set) var units: [PretendedUnit] = []
  private(set) var cpus: [CPU] = []
  private var nextTable: UInt64 = 24 << 20
  private var nextExtents: UInt64 = 28 << 20

  /// CPU n has the physical APIC ID 0x40 + n, which no guest must see.
  init(cpus count: Int = 1, irqchip: Bool = true) {
    for id in 0..<count {
      let area = UInt64(id + 2) << 20
      let window = PretendedWindow(memory, cpu: area, vcpu: area + 0x1_0000, vm: 1 << 20)
      let processor = PretendedProcessor(memory)
      processor.windowMapsTrace = { [memory, unowned window] in
        window.mapTrace($0, of: memory)
      }
      let unit = PretendedUnit()
      PretendedWindow.set(processor, at: window.pages.cpuPage(APUS_CPU_PAGE_PRIVATE))
      PretendedWindow.set(unit, at: window.pages.vcpuPage(APUS_VCPU_PAGE_VMCB))
      let cpu = CPU(window.pages)
      cpu.control.area = area + 0x1_0000
      cpu.control.id = UInt32(id)
      cpu.control.bootstrap = id == 0 ? 1 : 0
      windows.append(window)
      processors.append(processor)
      units.append(unit)
      cpus.append(cpu)
    }
    let vm = cpus[0]
    vm.vm.area = 1 << 20
    vm.vm.tsc_khz = 1_000_000
    vm.vm.vcpu_count = UInt32(count)
    vm.vm.irqchip = irqchip ? 1 : 0
    vm.vm.pit = irqchip ? 1 : 0
    withUnsafeMutableBytes(of: &vm.vm.apic_ids) { ids in
      for id in 0..<Int(APUS_VCPUS) {
        ids.storeBytes(
          of: id < count ? UInt32(0x40 + id) : APUS_NO_APIC_ID, toByteOffset: id * 4,
          as: UInt32.self)
      }
    }
    vm.vm.pic_lines = 0xffff
    withUnsafeMutableBytes(of: &vm.vm.line_pins) { pins in
      for line in 0..<24 { pins[line] = UInt8(line) }
    }
    for cpu in cpus { cpu.bind() }
  }

  var cpu: CPU { cpus[0] }
  var processor: PretendedProcessor { processors[0] }
  var unit: PretendedUnit { units[0] }

  struct Slot {
    var address: UInt64
    var size: UInt64
    var physical: UInt64
    var isReadOnly = false
    /// At which the driver wrote the slot; nil: now.
    var generation: UInt32?
    /// Physical address of its log; 0: none.
    var log: UInt64 = 0
    var logSequence: UInt32 = 0
    /// Pages for nested tables; nil: enough.
    var tables: Int?
    /// Pages of each extent; nil: one extent.
    var extentPages: UInt64?
    /// Physical address of the directory of an APUS_SLOT_PAGES slot.
    var directory: UInt64?
  }

  /// Publishes a table of slots as the driver does; the slots' numbers are their places.
  func publish(_ slots: [Slot]) {
    let generation = cpu.vm.slots_generation &+ 1
    var entries: [apus_slot] = []
    for slot in slots {
      var entry = apus_slot()
      entry.guest_address = slot.address
      entry.size = slot.size
      entry.flags = slot.isReadOnly ? APUS_SLOT_READONLY : 0
      entry.generation = slot.generation ?? generation
      entry.log = slot.log
      entry.log_sequence = slot.logSequence
      if slot.size != 0, slot.generation == nil {
        cpu.vm.free_tables = freeTables(
          slot.tables ?? Int(slot.size >> 21) + 6, before: cpu.vm.free_tables)
        entry.pages = slot.directory ?? extents(slot)
      }
      if slot.directory != nil { entry.flags |= APUS_SLOT_PAGES | APUS_SLOT_DEVICE }
      entries.append(entry)
    }
    let table =
      UnsafeMutablePointer(mutating: cpu.pages.publishedSlots)
      + Int(generation & 1) * Int(APUS_SLOTS)
    for index in 0..<Int(APUS_SLOTS) {
      table[index] = index < entries.count ? entries[index] : apus_slot()
    }
    cpu.vm.slots_generation = generation
  }

  private func freeTables(_ count: Int, before next: UInt64) -> UInt64 {
    guard count > 0 else { return next }
    let first = nextTable
    for index in 0..<count {
      // Not empty, as freed pages are not.
      (memory.base + Int(nextTable)).initializeMemory(as: UInt8.self, repeating: 0xff, count: 4096)
      memory[nextTable, as: UInt64.self] = index == count - 1 ? next : nextTable + 4096
      nextTable += 4096
    }
    return first
  }

  /// Two extents a page, so that a slot of several has more than one page.
  private func extents(_ slot: Slot) -> UInt64 {
    let pages = slot.extentPages ?? slot.size >> 12
    var all: [apus_extent] = []
    for start in stride(from: 0, to: slot.size >> 12, by: Int(pages)) {
      all.append(
        apus_extent(
          guest_frame: slot.address >> 12 + start, frame: slot.physical >> 12 + start,
          count: min(pages, slot.size >> 12 - start)))
    }
    let first = nextExtents
    for index in stride(from: 0, to: all.count, by: 2) {
      let count = min(2, all.count - index)
      memory[nextExtents, as: UInt64.self] = index + 2 < all.count ? nextExtents + 4096 : 0
      memory[nextExtents + 8, as: UInt64.self] = UInt64(count)
      for entry in 0..<count {
        memory[nextExtents + 16 + UInt64(entry * 24), as: apus_extent.self] = all[index + entry]
      }
      nextExtents += 4096
    }
    return first
  }
}
