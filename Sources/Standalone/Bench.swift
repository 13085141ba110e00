// SPDX-License-Identifier: Apache-2.0
import Contract
import Guests

/// What a test works with: lent CPUs in READY, and a guest on the first of them.
@safe struct Bench {
  let cpus: [LentCPU]
  let vendor: apus_vendor
  /// Not started yet.
  let spare: LentCPU?
  /// The first of random operations.
  let seed: UInt64
  /// Who keeps the timers of its guests.
  let policy: apus_timer_policy
  var isEmulated: Bool { policy != APUS_POLICY_DIRECT }

  /// A second CPU in READY; the test parks it.
  func secondCPU() throws(Failure) -> LentCPU {
    guard let spare else { throw .skipped("this machine has no third CPU") }
    _ = try spare.probe()
    try spare.start()
    return spare
  }

  /// A fresh VM with one vCPU, bound to the first lent CPU and about to run a guest.
  func guest(
    _ name: StaticString, x2APIC: Bool = true, interruptControllers: Bool = true
  ) throws(Failure) -> VirtualCPU {
    guard let guest = GuestImage.find(name) else { throw .noGuest }
    let machine = VirtualMachine(interruptControllers: interruptControllers)
    let vcpu = VirtualCPU(machine)
    try vcpu.bind(to: cpus[0])
    try vcpu.start(guest, x2APIC: x2APIC)
    if isEmulated { try vcpu.chooseTimer(policy) }
    TestRun.newest = vcpu
    return vcpu
  }
}

extension VirtualCPU {
  func chooseTimer(_ policy: apus_timer_policy) throws(Failure) {
    try set(
      "KVM_APUS_SET_TIMER", KVM_APUS_SET_TIMER_,
      apus_timer_choice(policy: policy.rawValue, reserved: 0))
  }

  /// Runs to the guest's END, or fails.
  func runToEnd() throws(Failure) { try expectPort(UInt16(GUEST_PORT_END), runGuest()) }
  /// Runs to the guest's next STEP.
  func runToStep() throws(Failure) { try expectPort(UInt16(GUEST_PORT_STEP), runGuest()) }
  func finishToStep() throws(Failure) { try expectPort(UInt16(GUEST_PORT_STEP), finishRunning()) }
  func finishToEnd() throws(Failure) { try expectPort(UInt16(GUEST_PORT_END), finishRunning()) }

  private func expectPort(_ wanted: UInt16, _ exit: ClientExit) throws(Failure) {
    guard case .port(let port, _, false, _) = exit, port == wanted else {
      throw .unexpectedExit(exit)
    }
  }

  func expectResult(_ index: Int, _ expected: UInt64) throws(Failure) {
    guard machine.result(index) == expected else {
      throw .value("a result", is: machine.result(index), expected: expected)
    }
  }
  func expectInterrupts(_ vector: UInt8, _ expected: UInt64) throws(Failure) {
    try expect("interrupts", machine.interrupts(vector), expected)
  }

  /// Waits until the guest has changed a word of its memory.
  func awaitResult(_ index: Int, above: UInt64) throws(Failure) {
    guard Clock.wait({ machine.result(index) > above }) else { throw .timeout("the guest") }
  }

  func awaitInterrupts(_ vector: UInt8, above: UInt64) throws(Failure) {
    guard Clock.wait({ machine.interrupts(vector) > above }) else {
      throw .timeout("an interrupt of the guest")
    }
  }

  func exits(_ cause: apus_exit) -> UInt64 {
    unsafe withUnsafeBytes(of: control.pointee.statistics.exits) {
      unsafe $0.load(fromByteOffset: Int(cause.rawValue) * 8, as: UInt64.self)
    }
  }

  private var isEmulated: Bool {
    statistics.timer_mode == APUS_TIMER_MONITOR.rawValue
      || statistics.timer_mode == APUS_TIMER_PREEMPTION.rawValue
  }
  /// Exits of which an emulated local APIC makes more than a direct one.
  private static func belongsToEmulation(_ cause: apus_exit) -> Bool {
    switch cause {
    case APUS_EXIT_INTERRUPT, APUS_EXIT_INTERRUPT_WINDOW, APUS_EXIT_APIC_EOI,
      APUS_EXIT_APIC_OTHER, APUS_EXIT_APIC_TIMER, APUS_EXIT_MMIO, APUS_EXIT_PREEMPTION_TIMER,
      APUS_EXIT_CONTROL_REGISTER, APUS_EXIT_MSR_READ, APUS_EXIT_MSR_WRITE:
      true
    default: false
    }
  }

  /// The exits so far are these and no others, but for those of an emulated local APIC. NMIs that came with commands are not counted: it
  /// is a matter of time whether they find the CPU still in root mode.
  func expectExits(_ expected: [(apus_exit, UInt64)]) throws(Failure) {
    for cause in 0..<APUS_EXIT_COUNT.rawValue where cause != APUS_EXIT_NMI.rawValue {
      let cause = apus_exit(rawValue: cause)
      if isEmulated, Self.belongsToEmulation(cause) { continue }
      var wanted: UInt64 = 0
      for (named, count) in expected where named == cause { wanted = count }
      guard exits(cause) == wanted else {
        throw .exits(cause, is: exits(cause), expected: wanted)
      }
    }
  }
}
