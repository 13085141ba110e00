// SPDX-License-Identifier: Apache-2.0
import Figures

/// What must hold of the demonstration's figures.
struct DemoVerdict {
  /// How much longer than KVM's a boot may seem to take: two boots of one kind differ as much where
  /// the emulator has to share its processors with other work.
  static let bootTolerance = 1.5

  /// Figures that are missing are a failure of the run, which says so itself.
  static func checks(_ result: DemoResult, _ plan: DemoPlan) -> [Report.Check] {
    let columns = [("bare", result.bare), ("kvm", result.kvm), ("apus", result.apus)]
    var checks = columns.compactMap { name, column in
      column.map {
        check(
          "\(name)-all-wake-ups", $0.cyclictest.wakeUps == plan.loops,
          "\($0.cyclictest.wakeUps) of \(plan.loops)")
      }
    }
    if let apus = result.apus {
      checks += Self.checks(apus: apus)
      if let device = plan.timerDevice {
        checks.append(
          check("apus-\(device)", apus.timerDevice == device, apus.timerDevice ?? "?"))
      }
    }
    if let apus = result.apus?.userSpaceSeconds, let kvm = result.kvm?.userSpaceSeconds {
      checks.append(
        check(
          "apus-boots-no-slower", apus <= kvm * bootTolerance,
          "\(apus) s, KVM \(kvm) s"))
    }
    return checks
  }

  /// Of a guest on a lent CPU.
  static func checks(apus: DemoColumn) -> [Report.Check] {
    let ticks = apus.ticks ?? 0
    let loops = apus.cyclictest.wakeUps
    var checks = [
      check("apus-x2apic", apus.apicMode == "x2apic", apus.apicMode ?? "?"),
      check(
        "apus-direct-interrupts", apus.interrupts?.mode == "direct",
        apus.interrupts?.reason ?? "?"),
      check("apus-direct-timer", apus.timer?.mode == "direct", apus.timer?.reason ?? "?"),
      // Each wake-up of cyclictest is an interrupt of the timer.
      check("apus-ticks-counted", 2 * ticks >= loops, "\(ticks) ticks, \(loops) wake-ups"),
      noExit(per: "tick", exits: apus.exits ?? .max, ticks: ticks),
    ]
    if let idle = apus.idle {
      checks.append(noExit(per: "idle-tick", exits: idle.exits, ticks: idle.ticks))
    }
    return checks
  }

  /// No reason to exit comes with the ticks. A few exits in all may: the client has to be asked for
  /// something now and then.
  private static func noExit(per name: String, exits: Int, ticks: Int) -> Report.Check {
    check(
      "apus-no-exit-per-\(name)", exits <= max(2, ticks / 200), "\(exits) exits in \(ticks) ticks")
  }

  private static func check(_ name: String, _ passed: Bool, _ detail: String) -> Report.Check {
    .init(name: name, passed: passed, detail: detail)
  }
}
