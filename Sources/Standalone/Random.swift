// SPDX-License-Identifier: Apache-2.0

/// Numbers that are the same in every run: xorshift of 64 bits.
struct Random {
  private(set) var state: UInt64

  init(seed: UInt64) { state = seed | 1 }

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }

  mutating func next(below bound: Int) -> Int { Int(next() >> 33) % bound }
}
