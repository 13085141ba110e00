// SPDX-License-Identifier: Apache-2.0

/// Figures of the documents from which Apus comes, as they report them.
enum SeedFigures {
  /// Document 002: "Utilizing VMX preemption timer for timer virtualization" (Linux, 2016). cyclictest, 1 ms,
  /// 600,000 loops, vCPUs pinned to isolated CPUs, idle=poll in the guest.
  enum PreemptionTimer {
    static let used = [
      4: 24, 5: 49_862, 6: 470_060, 7: 66_930, 8: 9364, 9: 2496, 10: 1063, 11: 106, 12: 23,
    ]
    static let notUsed = [
      5: 169, 6: 804, 7: 17_241, 8: 207_048, 9: 271_618, 10: 100_960, 11: 507, 12: 562,
    ]
    static let source =
      "document 002: the VMX preemption timer for the guest's TSC deadline, 600,000 wake-ups; its excerpt ends at "
      + "12 µs"
  }

  /// Document 003: "Improvement of Real-time Performance of KVM" (2012). Core i7 3770, Linux 3.5 host; µs.
  struct Latency {
    var load: String
    var way: String
    /// Linux 3.4.0, and 3.4.4-rt14 where that was measured.
    var stock: (min: Int, avg: Int, max: Int)
    var realTime: (min: Int, avg: Int, max: Int)?
  }
  static let directIRQ = [
    Latency(load: "host busy", way: "bare metal", stock: (1, 1, 376), realTime: nil),
    Latency(load: "host busy", way: "KVM + DirectIRQ", stock: (2, 2, 15), realTime: (1, 2, 14)),
    Latency(load: "host busy", way: "KVM", stock: (7, 13, 558), realTime: (6, 11, 152)),
    Latency(load: "network", way: "bare metal", stock: (3, 6, 324), realTime: nil),
    Latency(load: "network", way: "KVM + DirectIRQ", stock: (2, 14, 157), realTime: nil),
    Latency(load: "network", way: "KVM", stock: (6, 35, 855), realTime: nil),
  ]

  /// Document 000: a 10 GbE virtual function with and without direct interrupts. Xeon W3520.
  static let network = [
    ("throughput, Gbit/s", "11.4", "8.91"), ("ping's round trip, ms", "0.054", "0.069"),
  ]

  /// Document 004: paravirtual KVM with a CR3 cache (2007).
  static let switches = [
    ("two tasks, µs a switch", "1.11", "6.36", "1.60"),
    ("hackbench 1 (40 tasks), s", "0.25", "0.55", "0.36"),
    ("hackbench 5 (200 tasks), s", "0.9", "2.8", "2.2"),
  ]
}
