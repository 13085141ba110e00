// SPDX-License-Identifier: Apache-2.0
import Glibc
import HostileCalls

/// The descriptors that are attacked: the device, two VMs and their vCPUs, and eventfds for them.
///
/// The numbers never change: what is closed or replaced is so under calls of other threads.
struct Targets: Sendable {
  static let machineCount = 2
  static let processorCount = 3
  static let eventCount = 4
  private static let runSize = 2 * Arena.page

  let device: Int32
  let machines: [Int32]
  /// By VM.
  let processors: [[Int32]]
  /// Eventfds, for interrupts and notifications of either VM.
  let events: [Int32]
  let memory: GuestMemory
  /// Where each `struct kvm_run` is mapped, by VM and vCPU.
  let runAreas: [[UInt]]

  init(device: Int32, memory: GuestMemory) {
    self.device = device
    self.memory = memory
    machines = (0..<Self.machineCount).map { _ in Self.placeholder() }
    processors = machines.map { _ in (0..<Self.processorCount).map { _ in Self.placeholder() } }
    events = (0..<Self.eventCount).map { _ in Self.placeholder() }
    runAreas = processors.map {
      $0.map { _ in UInt(bitPattern: Arena.reserve(Self.runSize)) }
    }
    for machine in machines.indices { replace(machine) }
    for event in events { replaceEvent(event) }
  }

  var allProcessors: [Int32] { processors.flatMap { $0 } }
  var all: [Int32] { [device] + machines + allProcessors }

  /// Another VM behind the same numbers. What it replaces ends when the last call in it does.
  func replace(_ machine: Int) {
    let fresh = Self.call(device, HOSTILE_CREATE_VM)
    guard fresh >= 0 else { return }
    _ = Self.call(fresh, HOSTILE_CREATE_IRQCHIP)
    var timer = kvm_pit_config()
    _ = withUnsafeMutablePointer(to: &timer) {
      Self.call(fresh, HOSTILE_CREATE_PIT2, UInt64(UInt(bitPattern: $0)))
    }
    var region = kvm_userspace_memory_region()
    region.memory_size = UInt64(GuestMemory.size)
    region.userspace_addr = UInt64(memory.address)
    // Writes of one VM are logged from the start.
    region.flags = machine == 0 ? UInt32(KVM_MEM_LOG_DIRTY_PAGES) : 0
    _ = withUnsafeMutablePointer(to: &region) {
      Self.call(fresh, HOSTILE_SET_MEMORY, UInt64(UInt(bitPattern: $0)))
    }
    for (id, number) in processors[machine].enumerated() {
      let processor = Self.call(fresh, HOSTILE_CREATE_VCPU, UInt64(id))
      guard processor >= 0 else { continue }
      // A mapping keeps the vCPU before this one alive, and its CPU away.
      mmap(
        UnsafeMutableRawPointer(bitPattern: runAreas[machine][id]), Self.runSize,
        PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, processor, 0)
      dup2(processor, number)
      close(processor)
    }
    dup2(fresh, machines[machine])
    close(fresh)
  }

  /// Another eventfd behind the same number: whoever waits for the one before it learns that it is gone.
  func replaceEvent(_ event: Int32) {
    let fresh = hostile_event()
    guard fresh >= 0 else { return }
    dup2(fresh, event)
    close(fresh)
  }

  /// The vCPU will run the code of the guest's memory, in real mode, from its first byte on.
  static func prepare(_ processor: Int32) {
    var special = kvm_sregs()
    let read = withUnsafeMutablePointer(to: &special) {
      hostile_ioctl(
        processor, hostile_number(Int32(HOSTILE_GET_SREGS)), UInt64(UInt(bitPattern: $0)))
    }
    guard read >= 0 else { return }
    special.cs.base = 0
    special.cs.selector = 0
    var registers = kvm_regs()
    registers.rip = GuestMemory.entry
    registers.rsp = 0x8000
    registers.rflags = 2
    _ = withUnsafeMutablePointer(to: &special) {
      hostile_ioctl(
        processor, hostile_number(Int32(HOSTILE_SET_SREGS)), UInt64(UInt(bitPattern: $0)))
    }
    _ = withUnsafeMutablePointer(to: &registers) {
      hostile_ioctl(
        processor, hostile_number(Int32(HOSTILE_SET_REGS)), UInt64(UInt(bitPattern: $0)))
    }
  }

  private static func placeholder() -> Int32 { open("/dev/null", O_RDWR | O_CLOEXEC) }

  private static func call(_ descriptor: Int32, _ which: Int, _ argument: UInt64 = 0) -> Int32 {
    hostile_ioctl(descriptor, hostile_number(Int32(which)), argument)
  }
}
