// SPDX-License-Identifier: Apache-2.0
import Contract

/// A lock among lent CPUs. No host CPU ever takes one, so a host that dies holds none.
public struct Spinlock {
  static var free: UInt32 { 0 }
  static var held: UInt32 { 1 }
  /// The CPU that held it broke: what it guards is as that CPU left it, and stays so.
  static var broken: UInt32 { 2 }

  var word: UInt32 = free
  public init() {}
}

extension UnsafeMutablePointer<Spinlock> {
  /// Runs `body` alone. Interrupts are off in root mode, and nothing in `body` may wait.
  @inline(__always)
  public func withLock<Result>(_ processor: some Processor, _ body: () -> Result) -> Result {
    unsafe withUnsafeMutablePointer(to: &pointee.word) { word in
      guard unsafe Self.take(word, processor) else { processor.stopAtBrokenLock() }
      processor.holdsLock = true
      let result = body()
      processor.holdsLock = false
      unsafe storeRelease(word, Spinlock.free)
      return result
    }
  }

  /// False: it is broken.
  static func take(_ word: UnsafeMutablePointer<UInt32>, _ processor: some Processor) -> Bool {
    while true {
      switch unsafe compareExchange(word, Spinlock.free, Spinlock.held) {
      case Spinlock.free: return true
      case Spinlock.broken: return false
      default: processor.pause()
      }
    }
  }

  /// By the CPU that holds it and will not give it back.
  public func breakLock() {
    unsafe withUnsafeMutablePointer(to: &pointee.word) {
      unsafe storeRelease($0, Spinlock.broken)
    }
  }
}
