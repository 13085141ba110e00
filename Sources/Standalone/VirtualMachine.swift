// SPDX-License-Identifier: Apache-2.0
import Contract
import Guests

/// A VM as the driver makes one: its area, a memory slot from address 0, its interrupt lines.
@safe final class VirtualMachine {
  static var memorySize: UInt64 { 4 << 20 }

  let area: Block
  /// Guest-physical memory from address 0, in one piece.
  let memory: Block
  var slots = Array(repeating: apus_slot(), count: Int(APUS_SLOTS))

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
    setSlot(0, [memory], at: 0)
  }

  var control: UnsafeMutablePointer<apus_vm> { unsafe area.structure(apus_vm.self, at: 0) }

  /// Where the vCPU `id` runs.
  func setAPICID(_ apicID: UInt32, of id: Int) {
    unsafe withUnsafeMutablePointer(to: &control.pointee.apic_ids) {
      unsafe storeRelease(
        UnsafeMutableRawPointer($0).assumingMemoryBound(to: UInt32.self) + id, apicID)
    }
  }

  // MARK: What guests leave in memory

  func result(_ index: Int) -> UInt64 { memory.word(at: Int(GUEST_RESULTS) + 8 * index) }
  func interrupts(_ vector: UInt8) -> UInt64 {
    memory.word(at: Int(GUEST_INTERRUPTS) + 8 * Int(vector))
  }
  func setParameter(_ value: UInt64) { memory.store(value, at: Int(GUEST_PARAMETER)) }
  var faultError: UInt64 { memory.word(at: Int(GUEST_FAULT_ERROR)) }
  var faultRIP: UInt64 { memory.word(at: Int(GUEST_FAULT_RIP)) }
}
