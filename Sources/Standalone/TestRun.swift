// SPDX-License-Identifier: Apache-2.0
import Contract
import X86

struct Test {
  let name: StaticString
  /// Only when it is named.
  let byRequest: Bool
  /// Who keeps the guest's timer. With another than the guest itself its local APIC is emulated, and the
  /// test's name begins with `prefix`.
  private(set) var policy = APUS_POLICY_DIRECT
  let body: (Bench) throws(Failure) -> Void

  init(
    _ name: StaticString, byRequest: Bool = false,
    _ body: @escaping (Bench) throws(Failure) -> Void
  ) {
    self.name = name
    self.byRequest = byRequest
    self.body = body
  }

  var prefix: StaticString {
    switch policy {
    case APUS_POLICY_DIRECT: ""
    case APUS_POLICY_MONITOR: "emulated-"
    default: "preemption-"
    }
  }

  func with(_ policy: apus_timer_policy) -> Test {
    var test = self
    test.policy = policy
    return test
  }

  func writeName() {
    Console.write(prefix)
    Console.write(name)
  }
}

/// Every test with CPUs and a VM of its own, one line each.
@safe struct TestRun {
  let image: MonitorImage
  let boot: BootInformation

  /// The vCPU whose exits stand in the test's line.
  @safe nonisolated(unsafe) static var newest: VirtualCPU?

  func run() -> Bool {
    if boot.isWord("list") { return list() }
    MonitorImage.loaded = image
    let cpus = [LentCPU(apicID: 1, image: image)]
    let spare = LentCPU(apicID: 2, image: image)
    var passed: UInt64 = 0
    var failed: UInt64 = 0
    var skipped: UInt64 = 0
    for test in TestList.all where boot.asks(for: test) {
      switch Memory.scratch({ result(test, cpus, spare) }) {
      case nil: passed += 1
      case .skipped: skipped += 1
      default: failed += 1
      }
      guard takeBack(cpus + [spare]) else { break }
    }
    Console.write("standalone: ")
    Console.write(passed)
    Console.write(" ok, ")
    Console.write(failed)
    Console.write(" failed, ")
    Console.write(skipped)
    Console.write(" skipped\n")
    return failed == 0 && passed + skipped > 0
  }

  /// Every CPU is free for the next test. False if one is not to be had any more.
  private func takeBack(_ cpus: [LentCPU]) -> Bool {
    for cpu in cpus {
      do throws(Failure) {
        try cpu.takeBack()
        cpu.bound = nil
      } catch {
        Console.write("standalone: a CPU is lost: ")
        error.write()
        Console.write("\n")
        return false
      }
    }
    return true
  }

  private func list() -> Bool {
    for test in TestList.all {
      test.writeName()
      Console.write("\n")
    }
    return true
  }

  private func result(_ test: Test, _ cpus: [LentCPU], _ spare: LentCPU) -> Failure? {
    Self.newest = nil
    do throws(Failure) {
      try perform(test, cpus, spare)
      Console.write("ok ")
      test.writeName()
      writeExits()
      return nil
    } catch {
      if case .skipped = error { Console.write("skipped ") } else { Console.write("FAILED ") }
      test.writeName()
      Console.write(": ")
      error.write()
      switch error {
      case .skipped: break
      case .stopped:
        for cpu in cpus + [spare] where cpu.state == APUS_CPU_STOPPED { cpu.writeCalls() }
      default: writePlace()
      }
      Console.write("\n")
      return error
    }
  }

  /// CPU from reset to READY, the test, and back to PARKED with the APIC as it was found.
  private func perform(
    _ test: Test, _ cpus: [LentCPU], _ spare: LentCPU
  ) throws(Failure) {
    for cpu in cpus {
      _ = try cpu.probe()
      try cpu.start()
    }
    let vendor = unsafe apus_vendor(rawValue: cpus[0].mailbox.pointee.vendor)
    if test.policy == APUS_POLICY_PREEMPTION, vendor != APUS_VENDOR_VMX {
      throw .skipped("this processor has no VMX-preemption timer")
    }
    try test.body(
      Bench(cpus: cpus, vendor: vendor, spare: spare, seed: boot.seed, policy: test.policy))
    for cpu in cpus {
      try cpu.park()
      try expect("APIC base after PARK", cpu.probe(), UInt64(0xfee0_0800))
    }
  }

  private func writeExits() {
    guard let vcpu = Self.newest else {
      Console.write("\n")
      return
    }
    var total: UInt64 = 0
    for cause in 1..<APUS_EXIT_COUNT.rawValue { total += vcpu.exits(apus_exit(rawValue: cause)) }
    Console.write(" exits=")
    Console.write(total)
    Console.write("\n")
  }

  /// Where a guest was that did not do what it should.
  private func writePlace() {
    guard let vcpu = Self.newest else { return }
    let count = unsafe vcpu.control.pointee.last_exit_count
    guard count > 0 else { return }
    let newest = unsafe withUnsafeBytes(of: vcpu.control.pointee.last_exits) {
      unsafe $0.load(fromByteOffset: Int((count - 1) & 15) * 24, as: apus_last_exit.self)
    }
    Console.write(" (last exit ")
    Console.write(hexadecimal: newest.code)
    Console.write(" at ")
    Console.write(hexadecimal: newest.rip)
    Console.write(" information ")
    Console.write(hexadecimal: newest.information)
    Console.write(")")
  }
}
