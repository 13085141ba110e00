// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import MonitorCore

@Suite("The VM's lock")
struct SpinlockTests {
  let processor = PretendedProcessor(PretendedMemory(size: 4096))
  /// A word of that memory, zeroed.
  var lock: UnsafeMutablePointer<Spinlock> {
    processor.memory.base.assumingMemoryBound(to: Spinlock.self)
  }
  var word: UnsafeMutablePointer<UInt32> {
    processor.memory.base.assumingMemoryBound(to: UInt32.self)
  }

  @Test("Zeroed memory is a free lock")
  func zeroed() {
    #expect(Spinlock().word == 0)
    #expect(MemoryLayout<Spinlock>.size == 4)
  }

  @Test("Is held for as long as the body runs, and the CPU knows that it holds it")
  func held() {
    let lock = lock
    let result = lock.withLock(processor) {
      #expect(lock.pointee.word != 0)
      #expect(processor.holdsLock)
      return 5
    }
    #expect(result == 5)
    #expect(lock.pointee.word == 0)
    #expect(!processor.holdsLock)
  }

  @Test("Is waited for")
  func waiting() {
    let word = word
    word.pointee = Spinlock.held
    var pauses = 0
    processor.onPause = {
      pauses += 1
      if pauses == 3 { word.pointee = Spinlock.free }
    }
    let taken = UnsafeMutablePointer<Spinlock>.take(word, processor)
    #expect(taken)
    #expect(pauses == 3)
    #expect(word.pointee == Spinlock.held)
  }

  @Test("Is nobody's any more once its holder broke, whoever waits already or comes later")
  func broken() {
    let lock = lock
    let word = word
    word.pointee = Spinlock.held
    processor.onPause = { lock.breakLock() }
    for _ in 0..<2 {
      let taken = UnsafeMutablePointer<Spinlock>.take(word, processor)
      #expect(!taken)
      #expect(word.pointee == Spinlock.broken)
    }
  }
}
