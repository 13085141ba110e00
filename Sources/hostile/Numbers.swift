// SPDX-License-Identifier: Apache-2.0
import Generator

/// Numbers for arguments, from whole ranges. It knows nothing of which of them are valid.
struct Numbers {
  /// What calls returned, and words of what they wrote.
  private var seen: [UInt64] = [0]
  private static let mostSeen = 64

  /// Small ones and edges most often: limits lie there.
  mutating func next(_ generator: inout SplitMix64) -> UInt64 {
    switch generator.below(10) {
    case 0: generator.next()
    case 1, 2: generator.next() >> (generator.next() % 64)
    case 3: (1 << (generator.next() % 64)) &+ UInt64(generator.below(3)) &- 1
    case 4: generator.element(of: seen)
    default: UInt64(generator.below(1 << generator.below(7)))
    }
  }

  /// A later argument may be this number.
  mutating func note(_ number: UInt64, _ generator: inout SplitMix64) {
    if seen.count < Self.mostSeen {
      seen.append(number)
    } else {
      seen[generator.below(seen.count)] = number
    }
  }
}
