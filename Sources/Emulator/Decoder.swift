// SPDX-License-Identifier: Apache-2.0
import X86

/// Decodes an instruction by the opcode tables. SDM vol. 2, chapter 2 and appendix A.
extension DecodedInstruction {
  mutating func decode(_ bytes: InstructionBytes, mode: CodeSize) throws(Failure) {
    var reader = ByteReader(bytes)
    var prefixes = Prefixes()
    opcode = prefixes.read(&reader, mode: mode)
    var row = opcodeRow(&reader, prefixes)
    self.mode = mode
    repetition = prefixes.repetition
    isLocked = prefixes.isLocked
    hasREX = prefixes.rex != 0
    addressSize = prefixes.addressSize(mode)
    segment = prefixes.segment ?? .ds
    isMemory = false
    base = Self.noRegister
    index = Self.noRegister
    scale = 0
    isRelative = false
    displacement = 0
    constant = 0
    if row.form.hasModRM {
      let byte = reader.next()
      field = byte >> 3 & 7
      reg = field | (prefixes.rex & 4) << 1
      rm = byte & 7 | (prefixes.rex & 1) << 3
      if row.operation.rawValue >= Operation.group1.rawValue, row.operation != .unknown {
        row = row.member(field)
      }
      if byte >> 6 != 3 { readAddress(byte, prefixes, &reader) }
    } else if row.form == .opcodeRegister {
      rm = opcode & 7 | (prefixes.rex & 1) << 3
    }
    operation = row.operation
    form = row.form
    isAligned = row.traits.contains(.aligned)
    setSizes(row, prefixes)
    readConstant(prefixes, &reader)
    length = reader.position
    try check(row, available: bytes.count)
  }

  @inline(__always)
  private mutating func opcodeRow(_ reader: inout ByteReader, _ prefixes: Prefixes) -> OpcodeRow {
    guard opcode == 0x0f else { return .oneByte(opcode) }
    opcode = reader.next()
    if opcode == 0x38 {
      opcode = reader.next()
      // With F2 the same opcodes are CRC32.
      return prefixes.repetition == .none ? .threeByte(opcode) : .unknown
    }
    let row = OpcodeRow.twoByte(opcode)
    if row.operation != .unknown { return row }
    return .vector(opcode, prefixes.mandatory, isWide: prefixes.rex & 8 != 0)
  }

  @inline(__always)
  private mutating func setSizes(_ row: OpcodeRow, _ prefixes: Prefixes) {
    if row.size != 0 {
      size = row.size
    } else if row.traits.contains(.byte) {
      size = 1
    } else if row.traits.contains(.stack), mode == .bits64 {
      size = prefixes.operandSize(mode) == 2 ? 2 : 8
    } else {
      size = prefixes.operandSize(mode)
    }
    sourceSize = size
    if !row.traits.isDisjoint(with: [.byteSource, .wordSource, .doubleSource]) {
      sourceSize =
        row.traits.contains(.byteSource) ? 1 : row.traits.contains(.wordSource) ? 2 : 4
    }
  }

  @inline(__always)
  private mutating func readConstant(_ prefixes: Prefixes, _ reader: inout ByteReader) {
    switch form {
    case .rmConstant, .regRMConstant, .constant: constant = reader.number(min(size, 4))
    case .rmByte, .rmRegByte, .regRMByte, .byte: constant = reader.number(1)
    case .word: constant = reader.number(2)
    case .accumulatorOffset, .offsetAccumulator:
      isMemory = true
      reg = 0
      displacement = reader.number(addressSize)
    default: break
    }
  }

  @inline(__always)
  private func check(_ row: OpcodeRow, available: UInt8) throws(Failure) {
    if length > InstructionBytes.longest { throw .tooLong }
    if length > available { throw .truncated }
    if operation == .unknown { throw .unknown }
    if row.traits.contains(.memory), !isMemory { throw .unknown }
    if row.traits.contains(.legacy), mode == .bits64 { throw .unknown }
    // LOCK before anything else is an invalid opcode. SDM vol. 2, LOCK.
    if isLocked, !isMemory || !row.traits.contains(.lock) { throw .unknown }
    try checkMode(row)
  }

  /// Encodings that mean something else, or differ between vendors.
  private func checkMode(_ row: OpcodeRow) throws(Failure) {
    switch operation {
    // ARPL; MOVSXD of two bytes, of which vendors read two or four.
    case .moveSignExtended where row.traits.contains(.doubleSource):
      if mode != .bits64 || size == 2 { throw .unknown }
    // Branches with a 2-byte operand in 64-bit code: vendors differ.
    case .call, .jump, .callRelative, .returnNear:
      if mode == .bits64, size == 2 { throw .unknown }
    // JMPE without a prefix.
    case .populationCount: if repetition != .whileEqual { throw .unknown }
    // SLDT and its kin are for protected mode, which the processor has looked at.
    case .moveToSegment: if field == 1 || field > 5 { throw .unknown }
    case .moveFromSegment: if field > 5 { throw .unknown }
    default: break
    }
  }
}
