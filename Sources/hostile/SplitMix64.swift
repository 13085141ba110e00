// SPDX-License-Identifier: Apache-2.0
import Generator

extension SplitMix64 {
  /// 0 to `bound` - 1.
  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

  /// One in `count` times.
  mutating func once(in count: Int) -> Bool { below(count) == 0 }

  mutating func element<Element>(of array: [Element]) -> Element { array[below(array.count)] }
}
