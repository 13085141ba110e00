// SPDX-License-Identifier: Apache-2.0

/// What cyclictest measured: by how many microseconds its threads woke up too late, and how often.
public struct Cyclictest: Equatable, Sendable {
  public var min: Int
  public var avg: Int
  public var max: Int
  /// Wake-ups by microseconds, of all threads together. Delays that never happened are left out.
  public var histogram: [Int: Int]
  /// Wake-ups later than the histogram's end.
  public var overflows: Int

  public var wakeUps: Int { histogram.values.reduce(overflows, +) }

  /// Reads the report of `cyclictest -q -h N`, which has a column for each thread. Lines that are
  /// not part of it are passed over; nil if it has no figures.
  public init?(parsing lines: some Sequence<String>) {
    var minima: [Int] = []
    var averages: [Int] = []
    var maxima: [Int] = []
    histogram = [:]
    overflows = 0
    for line in lines {
      if let numbers = Self.numbers(in: line, after: "# Min Latencies:") {
        minima = numbers
      } else if let numbers = Self.numbers(in: line, after: "# Avg Latencies:") {
        averages = numbers
      } else if let numbers = Self.numbers(in: line, after: "# Max Latencies:") {
        maxima = numbers
      } else if let numbers = Self.numbers(in: line, after: "# Histogram Overflows:") {
        overflows = numbers.reduce(0, +)
      } else if let numbers = Self.numbers(in: line, after: ""), numbers.count >= 2 {
        let count = numbers.dropFirst().reduce(0, +)
        if count > 0 { histogram[numbers[0], default: 0] += count }
      }
    }
    guard let min = minima.min(), let max = maxima.max(), !averages.isEmpty else { return nil }
    self.min = min
    self.max = max
    // Threads of one run make equally many loops, or nearly so.
    avg = averages.reduce(0, +) / averages.count
  }

  /// The numbers after `prefix`; nil if there is anything else, or a number that no run reaches.
  private static func numbers(in line: String, after prefix: String) -> [Int]? {
    guard line.hasPrefix(prefix) else { return nil }
    var numbers: [Int] = []
    for word in line.dropFirst(prefix.count).split(whereSeparator: \.isWhitespace) {
      guard let number = UInt32(word) else { return nil }
      numbers.append(Int(number))
    }
    return numbers.isEmpty ? nil : numbers
  }

  /// The delay that all but one in `1 / (1 - fraction)` wake-ups stayed below or at; the maximum
  /// if that lies beyond the histogram.
  public func percentile(_ fraction: Double) -> Int {
    let wanted = Int((Double(wakeUps) * fraction).rounded(.up))
    var seen = 0
    for (delay, count) in histogram.sorted(by: { $0.key < $1.key }) {
      seen += count
      if seen >= wanted { return delay }
    }
    return max
  }
}

/// The histogram is an object with the delays as names, not the array that Swift makes of
/// [Int: Int].
extension Cyclictest: Codable {
  private enum CodingKeys: CodingKey { case wakeUps, min, avg, max, overflows, histogram }

  public init(from decoder: any Decoder) throws {
    let members = try decoder.container(keyedBy: CodingKeys.self)
    min = try members.decode(Int.self, forKey: .min)
    avg = try members.decode(Int.self, forKey: .avg)
    max = try members.decode(Int.self, forKey: .max)
    overflows = try members.decode(Int.self, forKey: .overflows)
    let counts = try members.decode([String: Int].self, forKey: .histogram)
    histogram = Dictionary(
      counts.compactMap { delay, count in Int(delay).map { ($0, count) } }, uniquingKeysWith: +)
  }

  public func encode(to encoder: any Encoder) throws {
    var members = encoder.container(keyedBy: CodingKeys.self)
    try members.encode(wakeUps, forKey: .wakeUps)
    try members.encode(min, forKey: .min)
    try members.encode(avg, forKey: .avg)
    try members.encode(max, forKey: .max)
    try members.encode(overflows, forKey: .overflows)
    try members.encode(
      Dictionary(uniqueKeysWithValues: histogram.map { ("\($0)", $1) }), forKey: .histogram)
  }
}
