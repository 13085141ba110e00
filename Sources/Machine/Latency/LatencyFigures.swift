// SPDX-License-Identifier: Apache-2.0
import Figures
import Histogram

/// By how many nanoseconds something woke up too late, in an HdrHistogram: three digits of each.
public struct LatencyFigures: Sendable {
  private var histogram = Histogram<UInt64>(
    lowestDiscernibleValue: 1, highestTrackableValue: 1 << 42,
    numberOfSignificantValueDigits: .three)
  /// The last one, for who watches.
  public private(set) var newest: UInt64 = 0

  public init() {}

  public mutating func add(_ nanoseconds: UInt64) {
    newest = nanoseconds
    histogram.record(Swift.min(nanoseconds, 1 << 42))
  }

  public var count: Int { Int(histogram.totalCount) }
  public var min: UInt64 { count == 0 ? 0 : histogram.min }
  public var max: UInt64 { count == 0 ? 0 : histogram.max }
  public var mean: Double { count == 0 ? 0 : histogram.mean }

  /// All but so many in a hundred were no later.
  public func percentile(_ percent: Double) -> UInt64 {
    count == 0 ? 0 : histogram.valueAtPercentile(percent)
  }

  /// Numbers by nanoseconds.
  public var counts: [Int: Int] {
    var counts: [Int: Int] = [:]
    for value in histogram.recordedValues() {
      counts[Int(value.value), default: 0] += Int(value.count)
    }
    return counts
  }
}

/// One way to wait, measured.
public struct LatencyColumn: Sendable {
  public enum Way: String, Sendable, Codable, CaseIterable { case host, kvm, apus }

  public var way: Way
  public var cpu: Int
  /// What told the moment.
  public var timer: String
  public var figures: LatencyFigures
  /// System management interrupts meanwhile; nil where the processor does not count them or they cannot be read.
  public var managementInterrupts: UInt64?
  /// Exits meanwhile; nil on the host.
  public var exits: UInt64?
  /// What could not be had, in words.
  public var shortcomings: [String] = []

  public var title: String {
    switch way {
    case .host: "a thread of the host"
    case .kvm: "a guest of KVM"
    case .apus: "a guest on a lent CPU"
    }
  }

  var series: Series {
    switch way {
    case .host: .bare
    case .kvm: .kvm
    case .apus: .apus
    }
  }
}
