// SPDX-License-Identifier: Apache-2.0
import Entry
import StandaloneEntry

/// The emulated machine's way out.
enum Machine {
  /// QEMU's isa-debug-exit ends the process with status 2 * value + 1; Bochs ends at the word
  /// "Shutdown" on its port 0x8900.
  static func end(success: Bool) -> Never {
    Console.flush()
    writePort8(0xf4, success ? 0 : 1)
    let word: StaticString = "Shutdown"
    for index in 0..<word.utf8CodeUnitCount { writePort8(0x8900, word.byte(index)) }
    while true { halt() }
  }
}

extension StaticString {
  /// Safe as the index is below `utf8CodeUnitCount`.
  func byte(_ index: Int) -> UInt8 {
    precondition(index < utf8CodeUnitCount)
    return unsafe utf8Start[index]
  }
}
