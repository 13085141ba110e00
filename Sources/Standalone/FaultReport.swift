// SPDX-License-Identifier: Apache-2.0
import Entry
import StandaloneEntry

/// An exception here is a mistake of the stand-in: said, then the end. A failed precondition is
/// vector 6.
enum FaultReport {
  static func install() {
    let table = Memory.pages(1)
    for vector in 0..<32 { setGate(table, vector, standaloneStubs + UInt64(vector) * 16) }
    setGate(table, Int(LocalAPIC.doorbell), doorbellRung)
    loadInterruptTable(table.address, limit: 4095)
  }

  /// A 64-bit interrupt gate. SDM vol. 3, figure 6-8.
  private static func setGate(_ table: Block, _ vector: Int, _ handler: UInt64) {
    let low = handler & 0xffff | 0x08 << 16 | 0x8e00 << 32 | (handler >> 16 & 0xffff) << 48
    table.store(low, at: vector * 16)
    table.store(handler >> 32, at: vector * 16 + 8)
  }
}

@c(standalone_fault)
func standaloneFault(_ frame: UnsafePointer<exception_frame>) {
  let frame = unsafe frame.pointee
  Console.write("standalone: exception ")
  Console.write(frame.vector)
  Console.write(" at ")
  Console.write(hexadecimal: frame.rip)
  Console.write(" error ")
  Console.write(hexadecimal: frame.error)
  Console.write(" address ")
  Console.write(hexadecimal: readCR2())
  Console.write("\n")
  Machine.end(success: false)
}
