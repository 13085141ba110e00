// SPDX-License-Identifier: Apache-2.0
import Contract

/// What the driver says about this machine: `struct apus_host`.
public struct DriverState: Equatable, Sendable {
  public enum Use: UInt8, Sendable {
    case linux = 0
    case offline = 1
    case lent = 2
  }

  public var version: UInt32
  /// By Linux's numbers; CPUs that cannot exist are missing.
  public var uses: [Use]
  /// CPUs that the administrator named for clients that do not ask.
  public var pool: [Int]
  /// Bytes of the monitor's image.
  public var imageSize: UInt32
  public var isMonitorMissing: Bool
  /// The firmware file is not the one that the driver was built with.
  public var isMonitorOther: Bool
  /// Linux does not trust the TSC.
  public var isTSCUnstable: Bool
  /// Encrypted memory, SEV-SNP, TDX or Xen.
  public var isUnsuitable: Bool
  /// The CPU on which firmware starts after a reset.
  public var bootstrapCPUs: [Int]
  /// CPUs that may take Linux's interrupts to others while they are lent: APUS_MARK_FLAT.
  public var flatCPUs: [Int]
  public var isFirmwareOff: Bool

  init(_ host: apus_host) {
    version = host.abi_version
    imageSize = host.image_size
    isMonitorMissing = host.flags & APUS_HOST_MONITOR_MISSING != 0
    isMonitorOther = host.flags & APUS_HOST_MONITOR_OTHER != 0
    isTSCUnstable = host.flags & APUS_HOST_TSC_UNSTABLE != 0
    isUnsuitable = host.flags & APUS_HOST_UNSUITABLE != 0
    isFirmwareOff = host.flags & APUS_HOST_FIRMWARE_OFF != 0
    let count = Int(min(host.cpu_count, APUS_MAX_CPUS))
    uses = withUnsafeBytes(of: host.use) { $0.prefix(count).map { Use(rawValue: $0) ?? .offline } }
    let marks = withUnsafeBytes(of: host.marks) { $0.prefix(count).map { UInt32($0) } }
    func cpus(marked mark: UInt32) -> [Int] { marks.indices.filter { marks[$0] & mark != 0 } }
    pool = cpus(marked: APUS_MARK_POOL)
    bootstrapCPUs = cpus(marked: APUS_MARK_BOOTSTRAP)
    flatCPUs = cpus(marked: APUS_MARK_FLAT)
  }

  func use(of cpu: Int) -> Use? { uses.indices.contains(cpu) ? uses[cpu] : nil }

  var lentCPUs: Set<Int> { Set(uses.indices.filter { uses[$0] == .lent }) }

  var hasFreePoolCPU: Bool { pool.contains { uses[$0] == .linux } }
}
