// SPDX-License-Identifier: Apache-2.0

/// One operand of an instruction.
public enum Operand: Equatable, Sendable {
  case none
  case register(RegisterOperand)
  case memory(MemoryOperand)
  /// Sign-extended to 64 bits.
  case immediate(UInt64)
  /// A port by its number.
  case port(UInt8)
  /// The port in DX.
  case portInDX
  /// CR0, CR2, CR3, CR4 or CR8.
  case controlRegister(UInt8)
}

/// A general register as an instruction names it. SDM vol. 2, 2.1.5.
public struct RegisterOperand: Equatable, Sendable {
  /// As encoded, with REX: 0 RAX … 15 R15.
  public var number: UInt8
  /// AH, CH, DH or BH: bits 8 to 15 of register `number`, which is 0 to 3.
  public var isHighByte: Bool

  public init(_ number: UInt8, isHighByte: Bool = false) {
    self.number = number
    self.isHighByte = isHighByte
  }

  static var accumulator: Self { Self(0) }

  /// The operand's value when the whole register holds `whole`.
  public func value(in whole: UInt64, size: UInt8) -> UInt64 {
    isHighByte ? whole >> 8 & 0xff : whole & Instruction.mask(size)
  }

  /// What the whole register holds after a write of `size` bytes: 4 bytes clear the rest
  /// (SDM vol. 1, 3.4.1.1), 1 and 2 leave it.
  public func merge(_ value: UInt64, into whole: UInt64, size: UInt8) -> UInt64 {
    if isHighByte { return whole & ~0xff00 | (value & 0xff) << 8 }
    let mask = Instruction.mask(size)
    return size == 4 ? value & mask : whole & ~mask | value & mask
  }
}
