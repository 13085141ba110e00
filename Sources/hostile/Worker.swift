// SPDX-License-Identifier: Apache-2.0
import Generator
import Glibc
import HostileCalls
import Synchronization

/// One of the threads that call. All share the targets; nothing else.
struct Worker {
  /// Interrupts whatever call a thread is in.
  static let wakeUp = SIGUSR1
  static let passPorts = hostile_number(Int32(HOSTILE_PASS_PORTS))

  let targets: Targets
  let options: Options
  let arena: Arena
  var generator: SplitMix64
  var numbers = Numbers()
  var tally = Tally()
  /// Calls of a child that should have failed and did not.
  var childrensSuccesses = 0

  init?(_ index: Int, options: Options, targets: Targets) {
    guard let arena = Arena() else { return nil }
    self.arena = arena
    self.options = options
    self.targets = targets
    generator = SplitMix64(state: options.seed &+ UInt64(index) &* 0x9e37_79b9)
  }

  /// One of many things; `note` learns which request is under way, by its index.
  mutating func step(note: (Int) -> Void) {
    let machine = generator.below(Targets.machineCount)
    switch generator.below(32) {
    case 0, 1: attack(targets.device, Request.device, note)
    case 2...11: attack(targets.machines[machine], Request.machine, note)
    case 12...22:
      attack(generator.element(of: targets.processors[machine]), Request.processor, note)
    case 23...27:
      let run = Request.processor.filter { $0.name == "KVM_RUN" }
      attack(generator.element(of: targets.processors[machine]), run, note)
    case 28: changeAndSetBack(generator.element(of: targets.processors[machine]))
    case 29: touchRunArea()
    case 30: attackWithNoRequest()
    default: disturb(machine)
    }
  }

  private mutating func attack(_ descriptor: Int32, _ requests: [Request], _ note: (Int) -> Void) {
    let request = generator.element(of: requests)
    let argument = argument(for: request)
    note(request.index)
    let result = hostile_ioctl(descriptor, request.number, argument)
    tally.note(request, result)
    remember(result, argument)
    if result >= 0, ["KVM_CREATE_VM", "KVM_CREATE_VCPU"].contains(request.name) { close(result) }
    if result >= 0, request.name == "KVM_SET_LENT_CPU" { Targets.prepare(descriptor) }
  }

  /// What a call returned, and what it may have written.
  private mutating func remember(_ result: Int32, _ argument: UInt64) {
    numbers.note(UInt64(bitPattern: Int64(result)), &generator)
    guard argument == arena.address else { return }
    numbers.note(arena.word(at: generator.below(16)), &generator)
  }

  /// What the kernel itself says is right, and then a little different.
  private mutating func changeAndSetBack(_ processor: Int32) {
    let pairs: [(String, String)] = [
      ("KVM_GET_REGS", "KVM_SET_REGS"), ("KVM_GET_SREGS", "KVM_SET_SREGS"),
      ("KVM_GET_FPU", "KVM_SET_FPU"), ("KVM_GET_LAPIC", "KVM_SET_LAPIC"),
      ("KVM_GET_XSAVE", "KVM_SET_XSAVE"), ("KVM_GET_XCRS", "KVM_SET_XCRS"),
      ("KVM_GET_VCPU_EVENTS", "KVM_SET_VCPU_EVENTS"), ("KVM_GET_DEBUGREGS", "KVM_SET_DEBUGREGS"),
    ]
    let pair = generator.element(of: pairs)
    guard let get = Request.processor.first(where: { $0.name == pair.0 }),
      let set = Request.processor.first(where: { $0.name == pair.1 })
    else { return }
    let read = hostile_ioctl(processor, get.number, arena.address)
    tally.note(get, read)
    guard read >= 0 else { return }
    for _ in 0..<generator.below(4) {
      arena.store(
        UInt8(truncatingIfNeeded: generator.next()), at: generator.below(max(set.size, 1)))
    }
    tally.note(set, hostile_ioctl(processor, set.number, arena.address))
  }

  /// The client's own part of struct kvm_run, and mappings that are wrong or short-lived.
  private mutating func touchRunArea() {
    let processor = generator.element(of: targets.allProcessors)
    let protection = generator.once(in: 4) ? PROT_READ | PROT_EXEC : PROT_READ | PROT_WRITE
    let size = generator.below(4) * Arena.page
    let area = mmap(
      nil, size, protection,
      generator.once(in: 4) ? MAP_PRIVATE : MAP_SHARED, processor,
      off_t(generator.once(in: 10) ? generator.next() >> 1 & ~0xfff : generator.next() % 4 * 4096))
    guard let area, area != MAP_FAILED else { return }
    if protection & PROT_WRITE != 0 {
      area.storeBytes(
        of: UInt8(truncatingIfNeeded: generator.next()), toByteOffset: generator.below(Arena.page),
        as: UInt8.self)
    }
    munmap(area, size)
  }

  private mutating func attackWithNoRequest() {
    let number = 0xae00 | UInt32(truncatingIfNeeded: generator.next() & 0xffff_00ff)
    guard number != Self.passPorts else { return }
    let descriptor = generator.element(of: targets.all)
    let result = hostile_ioctl(
      descriptor, number, arena.hostileAddress(&generator, targets))
    // KVM_CREATE_VM and KVM_CREATE_VCPU are among them.
    if result > 2, !targets.all.contains(result), number & 0xffff_003f == 0xae00 & 0x3f {
      close(result)
    }
    tally.note(.other, result)
  }

  private mutating func disturb(_ machine: Int) {
    switch generator.below(64) {
    case 0, 1: targets.replace(machine)
    case 2:
      let child = hostile_child(
        targets.machines, targets.machines.count, targets.allProcessors,
        targets.allProcessors.count)
      if child > 0 { childrensSuccesses += Int(child) }
    case 3...9: Targets.prepare(generator.element(of: targets.processors[machine]))
    case 10...20: targets.memory.disturb(&generator)
    case 21...40: signal(generator.element(of: targets.events))
    case 41...43: targets.replaceEvent(generator.element(of: targets.events))
    default: sched_yield()
    }
  }

  private func signal(_ event: Int32) {
    var one: UInt64 = 1
    _ = write(event, &one, MemoryLayout.size(ofValue: one))
  }
}
