// SPDX-License-Identifier: Apache-2.0
import Contract
import KVM

/// How often a vCPU, or several, left guest mode, by cause.
public struct ExitCounts: Equatable, Sendable {
  public var total: UInt64
  /// By the cause's name; causes that never happened are there as 0.
  public var byCause: [String: UInt64]

  public init(total: UInt64, byCause: [String: UInt64]) {
    self.total = total
    self.byCause = byCause
  }

  public static var none: ExitCounts { ExitCounts(total: 0, byCause: [:]) }

  /// From `/dev/apus`: every exit has exactly one cause.
  public init(_ statistics: apus_statistics) {
    let counts = withUnsafeBytes(of: statistics.exits) { bytes in
      let counts = bytes.bindMemory(to: UInt64.self)
      return (0..<APUS_EXIT_COUNT.rawValue).map { cause in
        (String(cString: apus_exit_name(cause)), counts[Int(cause)])
      }
    }
    byCause = Dictionary(uniqueKeysWithValues: counts)
    total = byCause.values.reduce(0, +)
  }

  /// From KVM's counters. KVM counts all exits and some causes; what is left is "other", where
  /// MSR accesses, CPUID and control registers are.
  public init(kvm counters: [String: UInt64]) {
    total = counters["exits"] ?? 0
    byCause = Self.kvmCauses.mapValues { counters[$0] ?? 0 }
    let known = byCause.values.reduce(0, +)
    byCause["other"] = total > known ? total - known : 0
  }

  /// KVM's counter of each cause.
  private static let kvmCauses = [
    "io": "io_exits", "mmio": "mmio_exits", "hlt": "halt_exits", "interrupt": "irq_exits",
    "interrupt-window": "irq_window_exits", "nmi-window": "nmi_window_exits",
    "hypercall": "hypercalls", "nested-fault": "pf_taken",
  ]

  /// Causes that happened, the most frequent first.
  public var happened: [(cause: String, count: UInt64)] {
    byCause.filter { $0.value > 0 }.map { (cause: $0.key, count: $0.value) }
      .sorted { ($1.count, $0.cause) < ($0.count, $1.cause) }
  }

  /// One exit for a port of the client less, under the name that the device has for it.
  var withoutOneAtClient: ExitCounts {
    var counts = self
    let cause = byCause["io-client"] == nil ? "io" : "io-client"
    guard let count = byCause[cause], count > 0 else { return self }
    counts.byCause[cause] = count - 1
    counts.total -= 1
    return counts
  }

  public static func - (later: ExitCounts, earlier: ExitCounts) -> ExitCounts {
    var counts = later
    counts.total &-= earlier.total
    for cause in counts.byCause.keys {
      counts.byCause[cause, default: 0] &-= earlier.byCause[cause] ?? 0
    }
    return counts
  }

  public static func + (first: ExitCounts, second: ExitCounts) -> ExitCounts {
    ExitCounts(
      total: first.total + second.total,
      byCause: first.byCause.merging(second.byCause, uniquingKeysWith: +))
  }
}
