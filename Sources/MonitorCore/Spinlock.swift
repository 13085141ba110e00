// SPDX-License-Identifier: Apache-2.0
import Contract

/// A lock among lent CPUs. No host CPU ever takes one, so a host that dies holds none.
public struct Spinlock {
  var word: UInt32 = 0
  public init() {}
}

extension UnsafeMutablePointer<Spinlock> {
  /// Runs `body` alone. Interrupts are off in root mode, and nothing in `body` may wait.
  @inline(__always)
  public func withLock<Result>(_ processor: some Processor, _ body: () -> Result) -> Result {
    unsafe withUnsafeMutablePointer(to: &pointee.word) { word in
      while unsafe exchange(word, 1) != 0 { processor.pause() }
      let result = body()
      unsafe storeRelease(word, 0)
      return result
    }
  }
}
