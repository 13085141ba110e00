// SPDX-License-Identifier: Apache-2.0

extension Scenario {
  /// The same on a host with another kernel. One with detectors is slower, and what they find is judged.
  public func on(_ kernel: KernelPackage) -> Scenario {
    var scenario = self
    scenario.kernel = kernel
    return kernel == .debug && self.kernel != .debug ? scenario.watched() : scenario
  }

  /// Its results are beside those of the scenario itself.
  private func watched() -> Scenario {
    var scenario = self
    scenario.name += Self.watchedSuffix
    scenario.summary += ", on \(KernelPackage.debug)"
    scenario.suite = .debug
    scenario.seconds *= Detectors.slowness
    scenario.machine.memory += Detectors.memory
    scenario.machine.append += " " + Detectors.words
    scenario.script = Detectors.before + script + Detectors.after
    scenario.checks += [
      .init("no-report-of-the-kernel", problem: Detectors.reportProblem),
      .init("nothing-lost-in-the-kernel", problem: Detectors.leakProblem),
    ]
    return scenario
  }

  private static let watchedSuffix = "-debug"
}

/// What a run on a kernel with detectors needs, and what is made of their findings.
enum Detectors {
  /// Emulated, with each access of memory checked.
  static let slowness = 5
  /// What they keep of each byte, object and lock, in MiB.
  static let memory = 1024
  /// All goes to the console, also what a script turns down; KASAN reports more than its first finding; the
  /// watchdogs know that an emulated CPU may starve.
  static let words =
    "ignore_loglevel kasan_multi_shot sysctl.kernel.watchdog_thresh=60 rcupdate.rcu_cpu_stall_timeout=120"

  /// They keep stacks and freed objects for their reports.
  static let before = "memory_slack=16 slowness=\(slowness)\n"

  /// An object counts as lost five seconds after its allocation, and when a second scan finds it unchanged.
  static let after = """

    [ ! -d /sys/module/apus ] || expect unloads-for-detectors rmmod apus
    sleep 6
    leaks=/sys/kernel/debug/kmemleak
    # It switches itself off where it cannot keep its books.
    echo scan > $leaks && echo scan > $leaks && cat $leaks > /tmp/leaks && {
      echo end >> /tmp/leaks
      attach \(leaks) /tmp/leaks
    }
    value lockdep-is-on "$(awk '/debug_locks/ { print $2 }' /proc/lockdep_stats)"

    """

  private static let leaks = "leaks.txt"

  static func reportProblem(_ report: Report) -> String? {
    let ours = KernelReport.all(in: report.console).filter(\.isOurs)
    return ours.isEmpty ? nil : KernelReport.titles(of: ours).joined(separator: "; ")
  }

  /// A machine that restarts was not looked at.
  static func leakProblem(_ report: Report) -> String? {
    guard let lines = report.files[leaks] else {
      let restarted = report.console.contains { $0.contains(Reboot.restart) }
      return restarted ? nil : "nobody looked"
    }
    let ours = KernelLeak.all(in: lines).filter(\.isOurs)
    return ours.isEmpty ? nil : "\(ours.count) objects: see \(leaks)"
  }

  /// Titles of reports in which the module has no part, and how many objects others lost.
  static func ofOthers(_ report: Report) -> [String] {
    let leaks = KernelLeak.all(in: report.files[leaks] ?? []).count { !$0.isOurs }
    return KernelReport.titles(of: KernelReport.all(in: report.console).filter { !$0.isOurs })
      + (leaks == 0 ? [] : ["\(leaks) objects that others lost"])
  }
}
