// SPDX-License-Identifier: Apache-2.0

/// A memory operand: how its address is computed. SDM vol. 1, 3.7.5.
public struct MemoryOperand: Equatable, Sendable {
  public var base: UInt8?
  public var index: UInt8?
  /// What the index is multiplied by: 1, 2, 4 or 8.
  public var scale: UInt8
  public var displacement: Int64
  public var segment: SegmentName
  /// Bytes: 2, 4 or 8.
  public var addressSize: UInt8
  /// The displacement counts from the next instruction.
  public var isRelative: Bool

  public init(
    base: UInt8? = nil, index: UInt8? = nil, scale: UInt8 = 1, displacement: Int64 = 0,
    segment: SegmentName = .ds, addressSize: UInt8 = 8, isRelative: Bool = false
  ) {
    self.base = base
    self.index = index
    self.scale = scale
    self.displacement = displacement
    self.segment = segment
    self.addressSize = addressSize
    self.isRelative = isRelative
  }

  /// The offset in its segment, when `next` is the address of the next instruction.
  public func offset(next: UInt64, registers: (UInt8) -> UInt64) -> UInt64 {
    var sum = UInt64(bitPattern: displacement)
    if isRelative { sum &+= next }
    if let base { sum &+= registers(base) }
    if let index { sum &+= registers(index) &* UInt64(scale) }
    return sum & Instruction.mask(addressSize)
  }
}

extension Instruction {
  /// The address of the instruction after this one at `instructionPointer`.
  public func next(after instructionPointer: UInt64) -> UInt64 {
    let next = instructionPointer &+ UInt64(length)
    return mode == .bits64 ? next : next & 0xffff_ffff
  }

  /// The offset of a memory operand in its segment. With a register as bit number BT and its
  /// kin reach beyond the operand that they name (SDM vol. 2, table 3-2).
  public func offset(
    of operand: MemoryOperand, instructionPointer: UInt64, registers: (UInt8) -> UInt64
  ) -> UInt64 {
    let offset = operand.offset(next: next(after: instructionPointer), registers: registers)
    guard case .bit = operation, case .register(let register) = source else { return offset }
    let number = Self.signed(register.value(in: registers(register.number), size: size), size)
    let units = number >> Int64((size * 8).trailingZeroBitCount)
    return (offset &+ UInt64(bitPattern: units &* Int64(size))) & Self.mask(operand.addressSize)
  }

  /// The linear address of a memory operand. In 64-bit code only FS and GS have a base; other
  /// code has 32-bit addresses. Limits and rights of the segment are the caller's.
  public func linearAddress(
    of operand: MemoryOperand, instructionPointer: UInt64, registers: (UInt8) -> UInt64,
    segmentBase: (SegmentName) -> UInt64
  ) -> UInt64 {
    let offset = offset(
      of: operand, instructionPointer: instructionPointer, registers: registers)
    if mode == .bits64 {
      let hasBase = operand.segment == .fs || operand.segment == .gs
      return hasBase ? segmentBase(operand.segment) &+ offset : offset
    }
    return (segmentBase(operand.segment) &+ offset) & 0xffff_ffff
  }

  static func signed(_ value: UInt64, _ size: UInt8) -> Int64 {
    let bits = value & mask(size)
    return Int64(bitPattern: bits & signBit(size) != 0 ? bits | ~mask(size) : bits)
  }
}
