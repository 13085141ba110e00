// SPDX-License-Identifier: Apache-2.0

/// What the standalone test `costs` says: where in the guest each exit is made, and how long it took.
///
///     cost cpuid at 0x11345: 195140 for 64
struct CostSite: Sendable, Equatable {
  var name: String
  var address: UInt64
  /// Of the TSC, for all iterations.
  var ticks: Int
  var iterations: Int

  init(name: String, address: UInt64, ticks: Int, iterations: Int) {
    self.name = name
    self.address = address
    self.ticks = ticks
    self.iterations = iterations
  }

  init?(line: String) {
    let words = line.split(separator: " ")
    guard words.count == 7, words[0] == "cost", words[2] == "at", words[5] == "for",
      words[3].hasPrefix("0x"), let address = UInt64(words[3].dropFirst(2).dropLast(), radix: 16),
      let ticks = Int(words[4]), let iterations = Int(words[6])
    else { return nil }
    self.init(name: String(words[1]), address: address, ticks: ticks, iterations: iterations)
  }
}
