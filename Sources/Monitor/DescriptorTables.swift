// SPDX-License-Identifier: Apache-2.0
import Entry

/// GDT and TSS of a lent CPU, and its IDT. SDM vol. 3, 3.5, 7.7 and 6.14.
struct DescriptorTables {
  static var codeSelector: UInt16 { 0x08 }
  static var dataSelector: UInt16 { 0x10 }
  static var taskSelector: UInt16 { 0x18 }

  /// Null, code, data, and the two halves of the TSS descriptor.
  private var gdt: InlineArray<5, UInt64>
  /// 104 bytes and no I/O permission map. 32-bit units: the stacks are not 8-byte aligned.
  private var tss: InlineArray<26, UInt32>

  /// Fills and loads the tables. Stacks are given by their ends.
  mutating func load(
    interrupts: UnsafeMutableRawPointer, nmiStack: UInt64, faultStack: UInt64
  ) {
    tss = InlineArray(repeating: 0)
    setStack(1, nmiStack)
    setStack(2, faultStack)
    tss[25] = UInt32(MemoryLayout<InlineArray<26, UInt32>>.size) << 16
    let task = taskStateAddress
    gdt = [
      0, 0x00af_9b00_0000_ffff, 0x00cf_9300_0000_ffff,
      0x0000_8900_0000_0067 | (task & 0xff_ffff) << 16 | (task >> 24 & 0xff) << 56, task >> 32,
    ]
    let table = unsafe interrupts.assumingMemoryBound(to: InterruptGate.self)
    for vector in 0..<32 {
      unsafe table[vector] = InterruptGate(Self.stub(vector), stack: Self.stack(vector))
    }
    for vector in 32..<256 {
      unsafe table[vector] = InterruptGate(Self.takeStub(vector), stack: 0)
    }
    let base = unsafe withUnsafePointer(to: &gdt) { UInt64(UInt(bitPattern: $0)) }
    loadDescriptorTables(
      gdt: base, limit: 39, idt: UInt64(UInt(bitPattern: interrupts)),
      taskSelector: UInt32(Self.taskSelector))
  }

  /// Where the TSS lies; the tables stay where they are.
  var taskStateAddress: UInt64 {
    mutating get { unsafe withUnsafePointer(to: &tss) { UInt64(UInt(bitPattern: $0)) } }
  }

  /// An entry of the interrupt stack table, 1 to 7.
  private mutating func setStack(_ number: Int, _ end: UInt64) {
    tss[9 + (number - 1) * 2] = UInt32(truncatingIfNeeded: end)
    tss[10 + (number - 1) * 2] = UInt32(truncatingIfNeeded: end >> 32)
  }

  private static func stub(_ vector: Int) -> UInt64 { exceptionStubs + UInt64(vector) * 16 }

  /// NMIs, double faults and machine checks have stacks of their own.
  private static func stack(_ vector: Int) -> UInt8 {
    vector == 2 ? 1 : vector == 8 || vector == 18 ? 2 : 0
  }

  private static func takeStub(_ vector: Int) -> UInt64 { takeStubs + UInt64(vector) * 8 }

  /// From which vector on the monitor takes interrupts: `exceptions`, or below. Vectors 16 to 31 are
  /// exceptions, of which the monitor causes none but machine checks, and a guest may have them as
  /// interrupts too; QEMU's APIC delivers even those below 16.
  static func setLowestInterrupt(_ interrupts: UnsafeMutableRawPointer, _ lowest: Int) {
    let table = unsafe interrupts.assumingMemoryBound(to: InterruptGate.self)
    for vector in 0..<exceptions where vector != 2 {
      let take = vector == 18 ? takeInterrupt18 : takeStub(vector)
      unsafe table[vector] = InterruptGate(
        vector >= lowest ? take : stub(vector), stack: stack(vector))
    }
  }
  static var exceptions: Int { 32 }

  /// Whether an interrupt of that vector, 32 to 255, is left in service.
  static func setKeeping(
    _ interrupts: UnsafeMutableRawPointer, _ vector: UInt8, _ keeping: Bool
  ) {
    let table = unsafe interrupts.assumingMemoryBound(to: InterruptGate.self)
    unsafe table[Int(vector)] = InterruptGate(
      keeping ? keepInterrupt : takeStub(Int(vector)), stack: 0)
  }
}

/// A 64-bit interrupt gate. SDM vol. 3, figure 6-8.
struct InterruptGate {
  private let low: UInt64
  private let high: UInt64

  init(_ handler: UInt64, stack: UInt8) {
    low =
      handler & 0xffff | UInt64(DescriptorTables.codeSelector) << 16 | UInt64(stack) << 32
      | 0x8e << 40 | (handler >> 16 & 0xffff) << 48
    high = handler >> 32
  }
}
