// SPDX-License-Identifier: Apache-2.0

extension Scenario {
  /// Every scenario, in the order in which `apus-lab check` runs them.
  public static let all: [Scenario] = [
    refusals,
    wholeGuest("guest", count: 1, suite: .check),
    takeAndReturn("return", count: 10, suite: .check),
    kill("kill", count: 5, suite: .check),
    besideKVM,
    severalVMs,
    hostPanic,
    badGuests("bad-guests", rounds: 1, suite: .check),
    brokenMonitors("broken-monitors", modes: [.unfit, .ignoresRun, .stops], suite: .check),
    guards,
    stuckReboot,
    userAttacks,
    hostile("hostile", seconds: 9, suite: .check),
    smpBoot,
    timers,
    smpEight,
    hostCrashKernel,
    qemu,
    disk,
    wholeGuest("guest-often", count: 20, suite: .soak),
    takeAndReturn("return-often", count: 100, suite: .soak),
    kill("kill-often", count: 50, suite: .soak),
    hostile("hostile-long", calls: 1_000_000, on: .cloud),
    hostile("hostile-long-backports", calls: 1_000_000, on: .backports),
    badGuests("bad-guests-often", rounds: 10, suite: .soak),
    brokenMonitors("broken-monitors-all", modes: BrokenMonitor.allCases, suite: .soak),
    smpLoad,
    timersOften,
    qemuMachines,
    qemuLife,
    qemuSplit,
    qemuSnapshot,
    qemuMigration,
    deviceInterrupts("device-interrupts", remapped: true, kernel: .cloud),
    deviceInterrupts("device-interrupts-unsafe", remapped: false, kernel: .cloud),
    deviceInterrupts("device-interrupts-backports", remapped: true, kernel: .backports),
    deviceInterrupts("device-interrupts-backports-unsafe", remapped: false, kernel: .backports),
    diskKill,
    clientNet,
    debianRoot,
    qemuDebug,
    qemuMonitor,
    qemuUEFI,
    qemuDevices,
    trace,
    latency,
    latencyIntel,
    kvmAPI,
    conformance,
    smpIntel,
    timersIntel,
    diskIntel,
    hostPanicIntel,
    guards.on(.debug),
    takeAndReturn("return", count: 10, suite: .check).on(.debug),
    userAttacks.on(.debug),
    brokenMonitors("broken-monitors", modes: BrokenMonitor.allCases, suite: .soak).on(.debug),
    hostile("hostile", seconds: 60, suite: .soak).on(.debug),
    failedAllocations.on(.debug),
    interruptCost,
    switchCost,
    deviceInterruptsBesideKVM,
    exitCosts,
    qemuBesideKVM,
  ]

  /// Those of a suite.
  public static func all(in suite: Suite) -> [Scenario] { all.filter { $0.suite == suite } }

  /// Those of these names.
  public static func named(_ names: [String]) throws(LabError) -> [Scenario] {
    var found: [Scenario] = []
    for name in names {
      guard let scenario = all.first(where: { $0.name == name }) else {
        throw .noSuchScenario(name, known: all.map(\.name))
      }
      found.append(scenario)
    }
    return found
  }
}
