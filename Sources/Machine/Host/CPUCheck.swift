// SPDX-License-Identifier: Apache-2.0

/// Which CPUs a host can lend.
struct CPUCheck {
  /// Ascending.
  let lendable: [Int]
  private let facts: HostFacts
  private let lent: Set<Int>
  /// Linux's CPU 0, and the one on which firmware starts after a reset.
  private let kept: Set<Int>

  init(_ facts: HostFacts) {
    var lent: Set<Int> = []
    var kept: Set<Int> = [0]
    if case .open(let state) = facts.device {
      lent = state.lentCPUs
      kept.formUnion(state.bootstrapCPUs)
    }
    self.facts = facts
    self.lent = lent
    self.kept = kept
    lendable = facts.onlineCPUs.intersection(facts.removableCPUs).subtracting(lent)
      .subtracting(kept)
      .filter { facts.permittedCPUs?.contains($0) != false }.sorted()
  }

  /// About all of them.
  var finding: Finding {
    guard lendable.isEmpty else {
      return .good("CPUs", "\(CPUList(lendable)) can be lent, of \(facts.cpuList)")
    }
    if facts.presentCPUs.count < 2 {
      return .problem(
        "CPUs", "this machine has one, and Linux needs it",
        fix: "use a machine, or give this virtual machine, two CPUs or more")
    }
    let others = facts.presentCPUs.filter { $0 != 0 }
    if others.isSubset(of: lent) {
      return .problem(
        "CPUs", "all but CPU 0 are lent already", fix: "end a guest: each returns its CPUs")
    }
    if let offline = others.subtracting(lent).subtracting(facts.onlineCPUs).min() {
      return Self.offline(offline)
    }
    if let permitted = facts.permittedCPUs, permitted.subtracting(lent).isEmpty {
      return Self.notPermitted("CPUs", "none is left of those that everybody may use")
    }
    return Self.notRemovable("CPUs", "none has a switch to take it offline")
  }

  /// About one of them.
  func finding(_ cpu: Int) -> Finding {
    let subject = "CPU \(cpu)"
    guard facts.presentCPUs.contains(cpu) else {
      return .problem(
        subject, "there is none; this machine has \(facts.cpuList)", fix: "name one of those")
    }
    if kept.contains(cpu) {
      return .problem(
        subject,
        cpu == 0
          ? "Linux needs it: it cannot be lent"
          : "it is the bootstrap processor, on which firmware starts when it is reset",
        fix: "name another one" + (lendable.isEmpty ? "" : ": \(CPUList(lendable))"))
    }
    if lent.contains(cpu) {
      return .problem(
        subject, "it is lent already", fix: "end the guest that has it, or name another one")
    }
    guard facts.onlineCPUs.contains(cpu) else { return Self.offline(cpu) }
    guard facts.removableCPUs.contains(cpu) else {
      return Self.notRemovable(subject, "it has no switch to take it offline")
    }
    guard facts.permittedCPUs?.contains(cpu) != false else {
      return Self.notPermitted(subject, "it is not one of those that everybody may use")
    }
    return .good(subject, "it is online and can be lent")
  }

  private static func offline(_ cpu: Int) -> Finding {
    .problem(
      "CPU \(cpu)", "it is offline",
      fix: "echo 1 > /sys/devices/system/cpu/cpu\(cpu)/online, as root")
  }

  private static func notPermitted(_ subject: String, _ text: String) -> Finding {
    .problem(
      subject, text,
      fix: "run as root, or have root add CPUs to the pool: apus pool 2-3")
  }

  private static func notRemovable(_ subject: String, _ text: String) -> Finding {
    .problem(subject, text, fix: "use a kernel with CONFIG_HOTPLUG_CPU, as Debian's have")
  }
}
