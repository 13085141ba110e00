// SPDX-License-Identifier: Apache-2.0
import Contract
import Guests

/// A VM as the driver makes one: its area, one memory slot from 0, its interrupt lines.
@safe final class VirtualMachine {
  static var memorySize: UInt64 { 4 << 20 }

  let area: Block
  /// Guest-physical memory from address 0, in one piece.
  let memory: Block

  init(interruptControllers: Bool) {
    area = Memory.area(order: APUS_VM_ORDER)
    memory = Memory.pages(Int(Self.memorySize / 4096), alignment: 2 << 20)
    unsafe control.pointee.area = area.address
    unsafe control.pointee.tsc_khz = UInt32(Clock.ticksPerMillisecond)
    unsafe control.pointee.irqchip = interruptControllers ? 1 : 0
    unsafe control.pointee.pit = interruptControllers ? 1 : 0
    unsafe control.pointee.clock_tsc = Clock.now
    let noAPIC = APUS_NO_APIC_ID
    for id in 0..<Int(APUS_VCPUS) { setAPICID(noAPIC, of: id) }
    unsafe withUnsafeMutableBytes(of: &control.pointee.line_pins) { pins in
      for line in 0..<pins.count { unsafe pins[line] = UInt8(line) }
    }
    unsafe control.pointee.pic_lines = 0xffff
    GuestImage.install(in: memory)
    setMemory(memory, at: 0)
  }

  var control: UnsafeMutablePointer<apus_vm> { unsafe area.structure(apus_vm.self, at: 0) }

  /// Where the vCPU `id` runs.
  func setAPICID(_ apicID: UInt32, of id: Int) {
    unsafe withUnsafeMutablePointer(to: &control.pointee.apic_ids) {
      unsafe storeRelease(
        UnsafeMutableRawPointer($0).assumingMemoryBound(to: UInt32.self) + id, apicID)
    }
  }

  // MARK: Memory slots

  /// Slot 0, in the table that is not in force; then that table is.
  func setMemory(_ block: Block, at guestAddress: UInt64, flags: UInt32 = 0) {
    let generation = unsafe control.pointee.slots_generation &+ 1
    let slot = apus_slot(
      guest_address: guestAddress, size: UInt64(block.size),
      extents: extents(of: block, at: guestAddress), tables: tables(for: block), flags: flags,
      generation: generation)
    unsafe withUnsafeMutableBytes(of: &control.pointee.slots) {
      unsafe $0.storeBytes(
        of: slot,
        toByteOffset: Int(generation & 1) * Int(APUS_SLOTS) * MemoryLayout<apus_slot>.stride,
        as: apus_slot.self)
    }
    unsafe storeRelease(&control.pointee.slots_generation, generation)
  }

  private func extents(of block: Block, at guestAddress: UInt64) -> UInt64 {
    let page = Memory.pages(1)
    page.store(UInt64(1), at: 8)
    page.store(
      apus_extent(
        guest_frame: guestAddress >> 12, frame: block.address >> 12,
        count: UInt64(block.size) >> 12), at: 16)
    return page.address
  }

  /// Free pages, chained: two upper tables and one for each 2 MiB.
  private func tables(for block: Block) -> UInt64 {
    var next: UInt64 = 0
    for _ in 0..<3 + block.size >> 21 {
      let page = Memory.pages(1)
      page.store(next, at: 0)
      next = page.address
    }
    return next
  }

  // MARK: What guests leave in memory

  func result(_ index: Int) -> UInt64 { memory.word(at: Int(GUEST_RESULTS) + 8 * index) }
  func interrupts(_ vector: UInt8) -> UInt64 {
    memory.word(at: Int(GUEST_INTERRUPTS) + 8 * Int(vector))
  }
  var faultError: UInt64 { memory.word(at: Int(GUEST_FAULT_ERROR)) }
  var faultRIP: UInt64 { memory.word(at: Int(GUEST_FAULT_RIP)) }
}
