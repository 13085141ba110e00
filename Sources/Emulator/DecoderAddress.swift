// SPDX-License-Identifier: Apache-2.0
import X86

/// Memory operands that ModRM and SIB name.
extension DecodedInstruction {
  @inline(__always)
  mutating func readAddress(
    _ modRM: UInt8, _ prefixes: Prefixes, _ reader: inout ByteReader
  ) {
    isMemory = true
    if addressSize == 2 {
      readShortAddress(modRM, &reader)
    } else {
      readLongAddress(modRM, rex: prefixes.rex, &reader)
    }
    // Addresses from rSP and rBP are the stack's.
    if prefixes.segment == nil, base == 4 || base == 5 { segment = .ss }
  }

  /// SDM vol. 2, tables 2-2 and 2-3.
  @inline(__always)
  mutating func readLongAddress(_ modRM: UInt8, rex: UInt8, _ reader: inout ByteReader) {
    let mod = modRM >> 6
    var number = modRM & 7
    let hasSIB = number == 4
    if hasSIB {
      let sib = reader.next()
      number = sib & 7
      let indexNumber = sib >> 3 & 7 | (rex & 2) << 2
      if indexNumber != 4 {
        index = indexNumber
        scale = sib >> 6
      }
    }
    if mod == 0, number == 5 {
      isRelative = !hasSIB && mode == .bits64
      displacement = reader.number(4)
      return
    }
    base = number | (rex & 1) << 3
    displacement = reader.number(mod == 0 ? 0 : mod == 1 ? 1 : 4)
  }

  /// SDM vol. 2, table 2-1.
  private mutating func readShortAddress(_ modRM: UInt8, _ reader: inout ByteReader) {
    let mod = modRM >> 6
    let number = modRM & 7
    switch number {
    case 0, 1, 7: base = 3
    case 2, 3: base = 5
    case 4: base = 6
    case 5: base = 7
    default: base = mod == 0 ? Self.noRegister : 5
    }
    switch number {
    case 0, 2: index = 6
    case 1, 3: index = 7
    default: break
    }
    displacement = reader.number(mod == 0 ? (number == 6 ? 2 : 0) : mod)
  }
}
