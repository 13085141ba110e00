// SPDX-License-Identifier: Apache-2.0

/// What must hold of the demonstration's figures.
struct DemoVerdict {
  /// Exits that every tick would cause; none of these reasons may occur once per tick.
  static let mostExitsPerTick = 0.01

  static func checks(_ result: DemoResult) -> [Report.Check] {
    var checks: [Report.Check] = []
    func check(_ name: String, _ passed: Bool, _ detail: String) {
      checks.append(.init(name: name, passed: passed, detail: detail))
    }
    for (name, column) in [("bare", result.bare), ("kvm", result.kvm), ("apus", result.apus)] {
      guard let column else { continue }
      let loops = column.cyclictest.loops
      check("\(name)-all-wake-ups", loops == DemoScript.loops, "\(loops) of \(DemoScript.loops)")
    }
    if let apus = result.apus {
      check("apus-x2apic", apus.apicMode == "x2apic", apus.apicMode ?? "?")
      check(
        "apus-direct-interrupts", apus.interrupts?.mode == "direct", apus.interrupts?.reason ?? "")
      check("apus-direct-timer", apus.timer?.mode == "direct", apus.timer?.reason ?? "")
      let perTick = apus.exitsPerTick ?? .infinity
      check(
        "apus-no-exit-per-tick", perTick < mostExitsPerTick,
        "\(apus.exits ?? -1) exits in \(apus.ticks ?? -1) ticks")
      let ticks = apus.ticks ?? 0
      check("apus-ticks-counted", ticks >= DemoScript.loops, "\(ticks) ticks")
      if let idle = apus.idle {
        check(
          "apus-no-exit-per-idle-tick", idle.exitsPerTick < mostExitsPerTick,
          "\(idle.exits) exits in \(idle.ticks) ticks")
      }
    }
    if let apus = result.apus?.userSpaceSeconds, let kvm = result.kvm?.userSpaceSeconds {
      check("apus-boots-no-slower", apus <= kvm, "\(apus) s, KVM \(kvm) s")
    }
    return checks
  }
}
