// SPDX-License-Identifier: Apache-2.0

/// What can be said about a run before the device is opened.
public enum Preflight {
  /// Memory that Linux keeps for itself beside the guest's: 32 MiB.
  static let reserve: UInt64 = 32 << 20

  /// Checks the guest's memory against the machine's.
  public static func check(memory requested: UInt64, of host: HostFiles) throws(SetupError) {
    if let total = host.totalMemory, requested > total {
      throw .memoryExceedsMachine(requested: requested, total: total)
    }
    if let available = host.availableMemory, requested + reserve > available {
      throw .memoryUnavailable(requested: requested, available: available)
    }
  }

  /// Checks that the CPUs exist and, if they are to be lent, that they can be.
  public static func check(
    cpus: [Int], lent: Bool, of host: HostFiles
  ) throws(SetupError) {
    let present = host.presentCPUs
    for cpu in cpus {
      guard present.contains(cpu) else {
        throw .noSuchCPU(cpu, possible: host.possibleCPUs)
      }
      if lent, cpu == 0 { throw .cpuIsLinux(cpu) }
      if !lent, !host.onlineCPUs.contains(cpu) { throw .cpuOffline(cpu) }
    }
  }
}
