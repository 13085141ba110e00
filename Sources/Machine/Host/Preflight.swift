// SPDX-License-Identifier: Apache-2.0

/// What can be said about a run before the device is opened.
public enum Preflight {
  /// Memory that Linux keeps for itself beside the guest's: 32 MiB.
  static let reserve: UInt64 = 32 << 20

  /// Checks the guest's memory against the machine's.
  public static func check(memory requested: UInt64, of host: HostFiles) throws(SetupError) {
    guard requested % 4096 == 0 else { throw .memoryNotPages(bytes: requested) }
    if let total = host.totalMemory, requested > total {
      throw .memoryExceedsMachine(requested: requested, total: total)
    }
    if let available = host.availableMemory, requested > available &- min(reserve, available) {
      throw .memoryUnavailable(requested: requested, available: available)
    }
  }

  /// Checks that threads can stay on the CPUs.
  static func check(cpus: [Int], of host: HostFiles) throws(SetupError) {
    let present = host.presentCPUs
    let online = host.onlineCPUs
    for cpu in cpus {
      guard present.contains(cpu) else { throw .noSuchCPU(cpu, possible: host.possibleCPUs) }
      guard online.contains(cpu) else { throw .cpuOffline(cpu) }
    }
  }

  /// Checks that the driver is able and can lend the CPUs, or one of its pool if none is named.
  static func check(
    cpus: [Int], lentBy driver: DriverState, of host: HostFiles
  ) throws(SetupError) {
    if driver.isMonitorMissing { throw .monitorMissing }
    if driver.isMonitorOther { throw .monitorOther }
    if driver.isFirmwareOff { throw .firmwareOff }
    // A lent CPU is absent for Linux, so the driver is asked first.
    let present = host.presentCPUs.union(driver.lentCPUs)
    for cpu in cpus {
      if cpu == 0 { throw .cpuKept(0) }
      guard present.contains(cpu), let use = driver.use(of: cpu) else {
        throw .noSuchCPU(cpu, possible: "\(CPUList(present.sorted()))")
      }
      switch use {
      case .linux: break
      case .offline: throw .cpuOffline(cpu)
      case .lent: throw .cpuLent(cpu)
      }
    }
    guard !cpus.isEmpty || driver.hasFreePoolCPU else { throw .noCPU }
  }
}
