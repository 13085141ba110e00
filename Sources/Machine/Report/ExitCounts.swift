// SPDX-License-Identifier: Apache-2.0
import Contract
import KVM

/// How often a vCPU, or several, left guest mode, by cause.
public struct ExitCounts: Equatable, Sendable {
  public var total: UInt64
  /// Causes in a fixed order, those that never happened included.
  public var byCause: [Cause]

  public struct Cause: Equatable, Sendable {
    public var name: String
    public var count: UInt64

    public init(name: String, count: UInt64) {
      self.name = name
      self.count = count
    }
  }

  public init(total: UInt64, byCause: [Cause]) {
    self.total = total
    self.byCause = byCause
  }

  public static var none: ExitCounts { ExitCounts(total: 0, byCause: []) }

  /// From `/dev/apus`: every exit has exactly one cause.
  public init(_ statistics: apus_statistics) {
    byCause = withUnsafeBytes(of: statistics.exits) { bytes in
      let counts = bytes.bindMemory(to: UInt64.self)
      return (0..<APUS_EXIT_COUNT.rawValue).map { cause in
        Cause(name: String(cString: apus_exit_name(cause)), count: counts[Int(cause)])
      }
    }
    total = byCause.reduce(0) { $0 + $1.count }
  }

  /// From KVM's counters. KVM counts all exits and some causes; what is left is "other", where
  /// MSR accesses, CPUID and control registers are.
  public init(kvm values: [(name: String, value: UInt64)]) {
    let named = Dictionary(
      values.map { ($0.name, $0.value) }, uniquingKeysWith: { first, _ in first })
    total = named["exits"] ?? 0
    byCause = Self.kvmCauses.map { Cause(name: $0.cause, count: named[$0.counter] ?? 0) }
    let known = byCause.reduce(0) { $0 + $1.count }
    byCause.append(Cause(name: "other", count: total > known ? total - known : 0))
  }

  private static let kvmCauses: [(counter: String, cause: String)] = [
    ("io_exits", "io"), ("mmio_exits", "mmio"), ("halt_exits", "hlt"),
    ("irq_exits", "interrupt"), ("irq_window_exits", "interrupt-window"),
    ("nmi_window_exits", "nmi-window"), ("hypercalls", "hypercall"), ("pf_taken", "nested-fault"),
  ]

  /// One exit for a port of the client less, under the name that the device has for it.
  var withoutOneAtClient: ExitCounts {
    var counts = self
    let index =
      byCause.firstIndex { $0.name == "io-client" } ?? byCause.firstIndex { $0.name == "io" }
    guard let index, byCause[index].count > 0 else { return self }
    counts.byCause[index].count -= 1
    counts.total -= 1
    return counts
  }

  public static func - (later: ExitCounts, earlier: ExitCounts) -> ExitCounts {
    let before = Dictionary(
      earlier.byCause.map { ($0.name, $0.count) }, uniquingKeysWith: { first, _ in first })
    return ExitCounts(
      total: later.total &- earlier.total,
      byCause: later.byCause.map { Cause(name: $0.name, count: $0.count &- (before[$0.name] ?? 0)) }
    )
  }

  public static func + (first: ExitCounts, second: ExitCounts) -> ExitCounts {
    guard !first.byCause.isEmpty else { return second }
    let added = Dictionary(
      second.byCause.map { ($0.name, $0.count) }, uniquingKeysWith: { first, _ in first })
    return ExitCounts(
      total: first.total + second.total,
      byCause: first.byCause.map { Cause(name: $0.name, count: $0.count + (added[$0.name] ?? 0)) })
  }
}
