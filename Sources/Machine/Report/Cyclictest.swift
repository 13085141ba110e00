// SPDX-License-Identifier: Apache-2.0

/// What cyclictest found in the guest: by how many microseconds its threads woke up too late.
public struct Cyclictest: Equatable, Sendable {
  public var minimum: Int
  public var average: Int
  public var maximum: Int
  /// Wake-ups by delay, in ascending order, of all threads together. Delays that never happened
  /// are left out.
  public var histogram: [Bar]
  /// Wake-ups later than the histogram's end.
  public var overflows: Int

  public struct Bar: Equatable, Sendable {
    /// Microseconds.
    public var delay: Int
    public var count: Int
  }

  public var wakeUps: Int { histogram.reduce(overflows) { $0 + $1.count } }

  /// Reads the report of `cyclictest -q -h N`, which has a column for each thread. Lines that are
  /// not part of it are passed over; nil if it has no figures.
  public init?(parsing lines: some Sequence<String>) {
    var minima: [Int] = []
    var averages: [Int] = []
    var maxima: [Int] = []
    histogram = []
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
        if count > 0 { histogram.append(Bar(delay: numbers[0], count: count)) }
      }
    }
    guard let minimum = minima.min(), let maximum = maxima.max(), !averages.isEmpty else {
      return nil
    }
    self.minimum = minimum
    self.maximum = maximum
    // Threads of one run make equally many loops, or nearly so.
    average = averages.reduce(0, +) / averages.count
    histogram.sort { $0.delay < $1.delay }
  }

  /// The numbers after `prefix`; nil if there is anything else, or a number that no run reaches.
  private static func numbers(in line: String, after prefix: String) -> [Int]? {
    guard line.hasPrefix(prefix) else { return nil }
    var numbers: [Int] = []
    for word in line.dropFirst(prefix.count).split(separator: " ") {
      guard let number = UInt32(word) else { return nil }
      numbers.append(Int(number))
    }
    return numbers.isEmpty ? nil : numbers
  }
}
