// SPDX-License-Identifier: Apache-2.0
import StandaloneEntry

/// COM1, written and never read. No heap, so that it works in any state.
enum Console {
  private static var port: UInt16 { 0x3f8 }

  /// 115200 baud, eight data bits: a machine without firmware has set neither.
  static func begin() {
    writePort8(port + 3, 0x80)
    writePort8(port, 1)
    writePort8(port + 1, 0)
    writePort8(port + 3, 3)
  }

  /// Waits until the last byte is on the line.
  static func flush() { while readPort8(port + 5) & 0x40 == 0 {} }

  static func write(_ byte: UInt8) {
    while readPort8(port + 5) & 0x20 == 0 {}
    writePort8(port, byte)
  }
  static func write(_ text: StaticString) {
    for index in 0..<text.utf8CodeUnitCount { write(text.byte(index)) }
  }
  /// C's text, from a header.
  static func write(terminated text: UnsafePointer<CChar>) {
    var index = 0
    while unsafe text[index] != 0 {
      write(UInt8(bitPattern: unsafe text[index]))
      index += 1
    }
  }
  static func write(_ number: Int64) {
    if number < 0 { write(UInt8(ascii: "-")) }
    write(number.magnitude)
  }
  static func write(_ number: UInt64) {
    if number >= 10 { write(number / 10) }
    write(UInt8(ascii: "0") + UInt8(number % 10))
  }
  static func write(hexadecimal number: UInt64) {
    write("0x")
    let digits = max((67 - number.leadingZeroBitCount) / 4, 1)
    for place in (0..<digits).reversed() {
      let digit = UInt8(number >> UInt64(4 * place) & 15)
      write(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
    }
  }
}
