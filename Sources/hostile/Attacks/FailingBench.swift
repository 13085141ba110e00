// SPDX-License-Identifier: Apache-2.0
import Glibc
import HostileCalls

/// A request to make again and again, and what undoes it.
struct FailingStep {
  var name: String
  var request: UInt32
  /// The descriptor that it is made of; a fresh one each time where `undo` closes it.
  var target: () -> Int32
  /// Filled anew each time.
  var argument: () -> UInt64
  /// After a success: the descriptor and the result.
  var undo: (Int32, Int32) -> Void
}

/// A VM, memory, eventfds and room for arguments, and every request that allocates something.
final class FailingBench {
  private static let memorySize = 4 << 20
  private static let room = 64 << 10

  private let device: Device
  private let machine: Int32
  private let processor: Int32
  private let memory: UnsafeMutableRawPointer
  private let arena: UnsafeMutableRawPointer
  private let events: [Int32]

  /// Nil if one of them cannot be had.
  init?(device: Device) {
    self.device = device
    machine = device.createMachine()
    guard machine >= 0, device.call(machine, HOSTILE_CREATE_IRQCHIP) >= 0,
      let memory = Self.map(Self.memorySize), let arena = Self.map(Self.room)
    else { return nil }
    self.memory = memory
    self.arena = arena
    processor = device.createProcessor(of: machine)
    events = [hostile_event(), hostile_event()]
    guard processor >= 0, events.allSatisfy({ $0 >= 0 }) else { return nil }
  }

  private static func map(_ size: Int) -> UnsafeMutableRawPointer? {
    let memory = mmap(
      nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0)
    return memory == MAP_FAILED ? nil : memory
  }

  /// In an order in which each finds what it needs: at the end vCPU 0 has a CPU.
  var steps: [FailingStep] {
    [
      ofDevice("KVM_CREATE_VM"), ofDevice("KVM_GET_SUPPORTED_CPUID", table: 100),
      ofDevice("KVM_GET_MSR_INDEX_LIST", table: 200),
      ofDevice("KVM_GET_MSR_FEATURE_INDEX_LIST", table: 200), ofDevice("APUS_GET_HOST"),
      createProcessor, ofFreshMachine("KVM_CREATE_IRQCHIP"), memorySlot(logged: false),
      memorySlot(logged: true), routing, irqfd(flags: 0),
      irqfd(flags: UInt32(KVM_IRQFD_FLAG_RESAMPLE)),
      ioeventfd, coalescing, clock, lend,
    ] + log + forwarded + [trace]
  }

  // MARK: - Steps

  private func ofDevice(_ name: String, table count: UInt32? = nil) -> FailingStep {
    step(name, of: Request.device, target: device.descriptor) { [arena] in
      arena.initializeMemory(as: UInt8.self, repeating: 0, count: Self.room)
      if let count { arena.storeBytes(of: count, as: UInt32.self) }
      return name == "KVM_CREATE_VM" ? 0 : UInt64(UInt(bitPattern: arena))
    } undo: { _, result in
      if name == "KVM_CREATE_VM", result >= 0 { close(result) }
    }
  }

  /// A vCPU's number is used once: of a VM of its own.
  private var createProcessor: FailingStep {
    fresh("KVM_CREATE_VCPU") { 0 }
  }

  private func ofFreshMachine(_ name: String) -> FailingStep {
    fresh(name) { 0 }
  }

  private func fresh(_ name: String, argument: @escaping () -> UInt64) -> FailingStep {
    FailingStep(
      name: name, request: Self.number(name, in: Request.machine),
      target: { [device] in device.createMachine() }, argument: argument,
      undo: { machine, result in
        if name == "KVM_CREATE_VCPU", result >= 0 { close(result) }
        close(machine)
      })
  }

  private func memorySlot(logged: Bool) -> FailingStep {
    var region = kvm_userspace_memory_region()
    region.slot = 1
    region.flags = logged ? UInt32(KVM_MEM_LOG_DIRTY_PAGES) : 0
    region.guest_phys_addr = 1 << 30
    region.memory_size = UInt64(Self.memorySize)
    region.userspace_addr = UInt64(UInt(bitPattern: memory))
    var none = region
    none.memory_size = 0
    let name = "KVM_SET_USER_MEMORY_REGION"
    var step = structure(name, region) { [device, none] machine, _ in
      var none = none
      _ = device.call(machine, HOSTILE_SET_MEMORY, with: &none)
    }
    if logged { step.name += " with a log" }
    return step
  }

  /// All lines as wired on a PC, and messages.
  private var routing: FailingStep {
    let name = "KVM_SET_GSI_ROUTING"
    return step(name, of: Request.machine, target: machine) { [arena] in
      arena.initializeMemory(as: UInt8.self, repeating: 0, count: Self.room)
      let count = 64
      arena.storeBytes(of: UInt32(count), as: UInt32.self)
      for index in 0..<count {
        var entry = kvm_irq_routing_entry()
        entry.gsi = UInt32(index)
        entry.type = UInt32(index < 24 ? KVM_IRQ_ROUTING_IRQCHIP : KVM_IRQ_ROUTING_MSI)
        if index < 24 {
          entry.u.irqchip.irqchip = UInt32(KVM_IRQCHIP_IOAPIC)
          entry.u.irqchip.pin = UInt32(index)
        }
        arena.storeBytes(
          of: entry, toByteOffset: 8 + index * MemoryLayout<kvm_irq_routing_entry>.stride,
          as: kvm_irq_routing_entry.self)
      }
      return UInt64(UInt(bitPattern: arena))
    } undo: { _, _ in
    }
  }

  private func irqfd(flags: UInt32) -> FailingStep {
    var given = kvm_irqfd()
    given.fd = UInt32(events[0])
    given.resamplefd = UInt32(events[1])
    given.gsi = 5
    given.flags = flags
    var off = given
    off.flags |= UInt32(KVM_IRQFD_FLAG_DEASSIGN)
    var step = structure("KVM_IRQFD", given) { [off] machine, _ in
      Self.make("KVM_IRQFD", of: machine, with: off)
    }
    if flags != 0 { step.name += " with a second eventfd" }
    return step
  }

  private var ioeventfd: FailingStep {
    var given = kvm_ioeventfd()
    given.addr = 0xfe00_0000
    given.len = 4
    given.fd = events[0]
    var off = given
    off.flags = 1 << UInt32(kvm_ioeventfd_flag_nr_deassign)
    return structure("KVM_IOEVENTFD", given) { [off] machine, _ in
      Self.make("KVM_IOEVENTFD", of: machine, with: off)
    }
  }

  private var coalescing: FailingStep {
    var zone = kvm_coalesced_mmio_zone()
    zone.addr = 0xfe10_0000
    zone.size = 0x1000
    return structure("KVM_REGISTER_COALESCED_MMIO", zone) { [zone] machine, _ in
      Self.make("KVM_UNREGISTER_COALESCED_MMIO", of: machine, with: zone)
    }
  }

  private var clock: FailingStep {
    structure("KVM_GET_CLOCK", kvm_clock_data()) { _, _ in }
  }

  /// What the caller allocates for it; a worker of the driver does the rest.
  private var lend: FailingStep {
    FailingStep(
      name: "KVM_SET_LENT_CPU", request: hostile_number(Int32(HOSTILE_SET_LENT_CPU)),
      target: { [device] in
        let machine = device.createMachine()
        let processor = device.createProcessor(of: machine)
        close(machine)
        return processor
      }, argument: { 3 }, undo: { processor, _ in close(processor) })
  }

  /// Of a slot that stays from here on.
  private var log: [FailingStep] {
    var region = kvm_userspace_memory_region()
    region.slot = 2
    region.flags = UInt32(KVM_MEM_LOG_DIRTY_PAGES)
    region.guest_phys_addr = 2 << 30
    region.memory_size = UInt64(Self.memorySize)
    region.userspace_addr = UInt64(UInt(bitPattern: memory))
    var request = kvm_dirty_log()
    request.slot = 2
    request.dirty_bitmap = arena.advanced(by: Self.room / 2)
    var step = structure("KVM_GET_DIRTY_LOG", request) { _, _ in }
    let machine = machine
    step.target = { [device, region] in
      // Once: the slot is there afterwards, and to set it again as it is changes nothing.
      var region = region
      _ = device.call(machine, HOSTILE_SET_MEMORY, with: &region)
      return machine
    }
    return [step]
  }

  /// What the monitor answers: the first one gives vCPU 0 its CPU.
  private var forwarded: [FailingStep] {
    [
      "KVM_GET_REGS", "KVM_GET_SREGS", "KVM_GET_FPU", "KVM_GET_LAPIC", "KVM_GET_XSAVE",
      "KVM_GET_MP_STATE",
    ]
    .map { name in
      step(name, of: Request.processor, target: processor) { [arena] in
        UInt64(UInt(bitPattern: arena))
      } undo: { _, _ in
      }
    }
  }

  /// Its pages stay with the vCPU.
  private var trace: FailingStep {
    step("KVM_APUS_TRACE", of: Request.processor, target: processor) {
      1
    } undo: { _, _ in
    }
  }

  // MARK: - Means

  private func structure<Value>(
    _ name: String, _ value: Value, undo: @escaping (Int32, Int32) -> Void
  ) -> FailingStep {
    step(name, of: Request.machine, target: machine) { [arena] in
      arena.storeBytes(of: value, as: Value.self)
      return UInt64(UInt(bitPattern: arena))
    } undo: {
      undo($0, $1)
    }
  }

  private func step(
    _ name: String, of requests: [Request], target: Int32, argument: @escaping () -> UInt64,
    undo: @escaping (Int32, Int32) -> Void
  ) -> FailingStep {
    FailingStep(
      name: name, request: Self.number(name, in: requests), target: { target },
      argument: argument, undo: undo)
  }

  private static func make<Value>(_ name: String, of descriptor: Int32, with value: Value) {
    var value = value
    _ = withUnsafeMutablePointer(to: &value) {
      hostile_ioctl(descriptor, number(name, in: Request.machine), UInt64(UInt(bitPattern: $0)))
    }
  }

  private static func number(_ name: String, in requests: [Request]) -> UInt32 {
    guard let request = requests.first(where: { $0.name == name }) else {
      fatalError("no request is named \(name)")
    }
    return request.number
  }
}
