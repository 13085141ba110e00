// SPDX-License-Identifier: Apache-2.0

/// What cyclictest measured: by how many microseconds a thread woke up too late, and how often.
public struct Cyclictest: Sendable, Equatable, Codable {
  public var min: Int
  public var avg: Int
  public var max: Int
  /// Wake-ups by microseconds, those that never happened left out.
  public var histogram: [Int: Int]
  /// Wake-ups later than the histogram's end.
  public var overflows: Int
  public var loops: Int { histogram.values.reduce(overflows, +) }

  /// Options that every measurement has in common.
  ///
  /// The first wake-up is due at a full second, so that there is time for what a script has to say
  /// before. The half millisecond keeps wake-ups away from the kernel's own ticks, which come at
  /// full milliseconds.
  static let options = "-i 1000 -m -q -p 80 -t 1 -h 20000 --secaligned=500"

  enum CodingKeys: CodingKey { case min, avg, max, histogram, overflows }

  /// Reads the report of `cyclictest -q -h N` with one thread; lines that are not part of it are
  /// passed over.
  public init(parsing lines: some Sequence<String>) throws(LabError) {
    var figures: [String: Int] = [:]
    histogram = [:]
    for line in lines {
      let words = line.split(whereSeparator: \.isWhitespace)
      if words.first == "#", words.count == 4, words[2].hasPrefix("Latencies:") {
        figures[words[1].lowercased()] = Int(words[3])
      } else if line.hasPrefix("# Histogram Overflows:") {
        figures["overflows"] = words.last.flatMap { Int($0) }
      } else if words.count == 2, let delay = Int(words[0]), let count = Int(words[1]), count > 0 {
        histogram[delay] = count
      }
    }
    guard let min = figures["min"], let avg = figures["avg"], let max = figures["max"] else {
      throw .malformed(file: "cyclictest's report", reason: "has no Min, Avg and Max Latencies")
    }
    (self.min, self.avg, self.max) = (min, avg, max)
    overflows = figures["overflows"] ?? 0
  }

  public init(from decoder: any Decoder) throws {
    let values = try decoder.container(keyedBy: CodingKeys.self)
    min = try values.decode(Int.self, forKey: .min)
    avg = try values.decode(Int.self, forKey: .avg)
    max = try values.decode(Int.self, forKey: .max)
    overflows = try values.decode(Int.self, forKey: .overflows)
    let counts = try values.decode([String: Int].self, forKey: .histogram)
    histogram = Dictionary(
      counts.compactMap { key, count in Int(key).map { ($0, count) } }, uniquingKeysWith: +)
  }

  public func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(min, forKey: .min)
    try values.encode(avg, forKey: .avg)
    try values.encode(max, forKey: .max)
    try values.encode(overflows, forKey: .overflows)
    // As an object with the delays as keys, not as the array that Swift makes of [Int: Int].
    try values.encode(
      Dictionary(uniqueKeysWithValues: histogram.map { ("\($0)", $1) }), forKey: .histogram)
  }

  /// The delay that all but one in `1 / (1 - fraction)` wake-ups stayed below or at; the maximum
  /// if that lies beyond the histogram.
  public func percentile(_ fraction: Double) -> Int {
    let wanted = Int((Double(loops) * fraction).rounded(.up))
    var seen = 0
    for (delay, count) in histogram.sorted(by: { $0.key < $1.key }) {
      seen += count
      if seen >= wanted { return delay }
    }
    return max
  }
}
