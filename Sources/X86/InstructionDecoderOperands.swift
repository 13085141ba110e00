// SPDX-License-Identifier: Apache-2.0

/// ModRM, SIB and displacement. SDM vol. 2, 2.1.5 and 2.2.1.2.
extension InstructionDecoder {
  /// A ModRM byte: `register` is an operand, or part of the opcode.
  struct Operands {
    /// The field as it is, without REX.
    var field: UInt8
    /// A register, or memory.
    var operand: Operand
    /// The number in rm with REX, where `operand` is a register.
    var number: UInt8
  }

  /// `size` is that of the rm operand: byte registers are numbered otherwise.
  mutating func operands(size: UInt8) throws(DecodingFailure) -> Operands {
    let byte = try bytes.next()
    let field = byte >> 3 & 7
    let rm = byte & 7
    let number = rm | prefixes.baseExtension
    if byte >> 6 == 3 {
      return Operands(field: field, operand: register(number, size: size), number: number)
    }
    let memory =
      prefixes.addressSize == 2
      ? try shortAddress(mod: byte >> 6, rm: rm) : try longAddress(mod: byte >> 6, rm: rm)
    return Operands(field: field, operand: .memory(memory), number: number)
  }

  /// The register that ModRM's reg field names.
  func register(field: UInt8, size: UInt8) -> Operand {
    register(field | prefixes.registerExtension, size: size)
  }

  /// Without REX the byte registers 4 to 7 are AH, CH, DH and BH.
  private func register(_ number: UInt8, size: UInt8) -> Operand {
    let isHigh = size == 1 && prefixes.rex == 0 && number >= 4
    return .register(RegisterOperand(isHigh ? number - 4 : number, isHighByte: isHigh))
  }

  /// SDM vol. 2, table 2-1.
  private mutating func shortAddress(
    mod: UInt8, rm: UInt8
  ) throws(DecodingFailure) -> MemoryOperand {
    var memory = MemoryOperand(addressSize: 2)
    switch rm {
    case 0, 1, 7: memory.base = 3
    case 2, 3: memory.base = 5
    case 4: memory.base = 6
    case 5: memory.base = 7
    default: memory.base = mod == 0 ? nil : 5
    }
    switch rm {
    case 0, 2: memory.index = 6
    case 1, 3: memory.index = 7
    default: break
    }
    let size: UInt8 = mod == 0 ? (rm == 6 ? 2 : 0) : mod
    memory.displacement = try bytes.number(size)
    memory.segment = segment(base: memory.base)
    return memory
  }

  /// SDM vol. 2, tables 2-2 and 2-3.
  private mutating func longAddress(
    mod: UInt8, rm: UInt8
  ) throws(DecodingFailure) -> MemoryOperand {
    var memory = MemoryOperand(addressSize: prefixes.addressSize)
    var base = rm
    if rm == 4 {
      let sib = try bytes.next()
      base = sib & 7
      let index = sib >> 3 & 7 | prefixes.indexExtension
      if index != 4 {
        memory.index = index
        memory.scale = 1 << (sib >> 6)
      }
    }
    if mod == 0, base == 5 {
      memory.isRelative = rm != 4 && prefixes.mode == .bits64
    } else {
      memory.base = base | prefixes.baseExtension
    }
    let size: UInt8 = mod == 1 ? 1 : mod == 2 || memory.base == nil ? 4 : 0
    memory.displacement = try bytes.number(size)
    memory.segment = segment(base: memory.base)
    return memory
  }

  /// The segment of a data access: addresses from rSP and rBP are the stack's.
  private func segment(base: UInt8?) -> SegmentName {
    prefixes.segment ?? (base == 4 || base == 5 ? .ss : .ds)
  }

  /// What a string instruction reads: DS:rSI, or another segment.
  var stringSource: Operand {
    .memory(
      MemoryOperand(base: 6, segment: prefixes.segment ?? .ds, addressSize: prefixes.addressSize))
  }

  /// What a string instruction writes: ES:rDI, always.
  var stringDestination: Operand {
    .memory(MemoryOperand(base: 7, segment: .es, addressSize: prefixes.addressSize))
  }

  /// An immediate of the operand's size, but of 4 bytes at most.
  mutating func immediate(size: UInt8) throws(DecodingFailure) -> Operand {
    .immediate(UInt64(bitPattern: try bytes.number(min(size, 4))))
  }
}
