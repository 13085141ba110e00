// SPDX-License-Identifier: Apache-2.0
import Contract

/// Guests whose local APIC is emulated: those of the other tests, what a tick costs, and the way from the one
/// mode to the other.
enum EmulatedTests {
  static var all: [Test] {
    var tests = [
      tick, preemptionTick, switches(firstEmulated: false), switches(firstEmulated: true), inTime,
      inTimePreemption,
    ]
    for test in TimerTests.all + InterruptTests.all + NMITests.all + APICModeTests.all
      + LineTests.all + KickTests.all + SMPTests.all + LifeTests.all
    {
      tests.append(test.with(APUS_POLICY_MONITOR))
    }
    for test in TimerTests.all { tests.append(test.with(APUS_POLICY_PREEMPTION)) }
    return tests
  }

  /// In x2APIC mode: one exit for the interrupt, one for its EOI, none to arm the timer.
  private static var tick: Test {
    Test("emulated-tick") { bench throws(Failure) in
      let vcpu = try bench.guest("timer-chain")
      try vcpu.chooseTimer(APUS_POLICY_MONITOR)
      try vcpu.runToEnd()
      try vcpu.expectInterrupts(0x46, 100)
      try expect("exits for interrupts", vcpu.exits(APUS_EXIT_INTERRUPT), 100)
      try expect("exits for EOIs", vcpu.exits(APUS_EXIT_APIC_EOI), 100)
      try expect("exits for the timer", vcpu.exits(APUS_EXIT_APIC_TIMER), 1)
      try expect(
        "timer", UInt64(vcpu.statistics.timer_mode), UInt64(APUS_TIMER_MONITOR.rawValue))
    }
  }

  /// At each of the guest's steps the other mode: with vectors requested, one in service, the timer
  /// armed and a task priority set.
  private static func switches(firstEmulated: Bool) -> Test {
    Test(firstEmulated ? "switch-from-emulated" : "switch-from-direct") { bench throws(Failure) in
      let vcpu = try bench.guest("switch")
      var emulated = firstEmulated
      if emulated { try vcpu.chooseTimer(APUS_POLICY_MONITOR) }
      for _ in 0..<4 {
        try vcpu.runToStep()
        emulated.toggle()
        try vcpu.chooseTimer(emulated ? APUS_POLICY_MONITOR : APUS_POLICY_DIRECT)
      }
      try vcpu.runToEnd()
      try vcpu.expectInterrupts(0x52, 1)
      try vcpu.expectInterrupts(0x73, 1)
      try vcpu.expectInterrupts(0x54, 2)
      try vcpu.expectInterrupts(0x45, 1)
      // Nothing was taken behind CLI; TPR was kept.
      try vcpu.expectResult(0, 0)
      try vcpu.expectResult(1, 5)
      try expect(
        "timer", UInt64(vcpu.statistics.timer_mode),
        UInt64((firstEmulated ? APUS_TIMER_MONITOR : APUS_TIMER_DIRECT).rawValue))
    }
  }

  /// One exit to arm the timer, one at the deadline, one for the EOI.
  private static var preemptionTick: Test {
    Test("preemption-tick") { bench throws(Failure) in
      let vcpu = try bench.guest("timer-chain")
      try choosePreemption(vcpu)
      try vcpu.runToEnd()
      try vcpu.expectInterrupts(0x46, 100)
      try expect("exits at deadlines", vcpu.exits(APUS_EXIT_PREEMPTION_TIMER), 100)
      try expect("exits for interrupts", vcpu.exits(APUS_EXIT_INTERRUPT), 0)
      try expect("exits for EOIs", vcpu.exits(APUS_EXIT_APIC_EOI), 100)
      // LVT and divider.
      try expect("exits for the timer", vcpu.exits(APUS_EXIT_APIC_TIMER), 102)
      try expect(
        "timer", UInt64(vcpu.statistics.timer_mode), UInt64(APUS_TIMER_PREEMPTION.rawValue))
    }
  }

  private static func choosePreemption(_ vcpu: VirtualCPU) throws(Failure) {
    let choice = apus_timer_choice(policy: APUS_POLICY_PREEMPTION.rawValue, reserved: 0)
    let answer = try vcpu.perform(KVM_APUS_SET_TIMER_, choice)
    if answer == -EOPNOTSUPP_ { throw .skipped("this processor has no VMX-preemption timer") }
    guard answer == 0 else { throw .answer("KVM_APUS_SET_TIMER", answer) }
  }

  /// The mode changes while the guest's timer rings, at all moments: each tick comes once.
  private static var inTime: Test {
    Test("switch-while-ticking") { bench throws(Failure) in
      try alternate(bench.guest("timer-chain")) { vcpu, number throws(Failure) in
        try vcpu.chooseTimer(number & 1 == 0 ? APUS_POLICY_MONITOR : APUS_POLICY_DIRECT)
      }
    }
  }
  private static var inTimePreemption: Test {
    Test("switch-to-preemption-while-ticking") { bench throws(Failure) in
      try alternate(bench.guest("timer-chain")) { vcpu, number throws(Failure) in
        switch number % 4 {
        case 0, 2: try choosePreemption(vcpu)
        case 1: try vcpu.chooseTimer(APUS_POLICY_DIRECT)
        default: try vcpu.chooseTimer(APUS_POLICY_MONITOR)
        }
      }
    }
  }

  private static func alternate(
    _ vcpu: VirtualCPU, _ change: (VirtualCPU, Int) throws(Failure) -> Void
  ) throws(Failure) {
    for number in 0..<200 {
      try vcpu.startRunning()
      Clock.idle(steps: number * 3)
      try vcpu.request(APUS_REQUEST_EXIT)
      switch try vcpu.finishRunning() {
      case .interrupted: break
      case .port:
        try vcpu.expectInterrupts(0x46, 100)
        guard number > 4 else { throw .value("switches", is: UInt64(number), expected: 5) }
        return
      case let exit: throw .unexpectedExit(exit)
      }
      try change(vcpu, number)
    }
    try vcpu.runToEnd()
    try vcpu.expectInterrupts(0x46, 100)
  }
}
