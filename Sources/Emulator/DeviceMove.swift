// SPDX-License-Identifier: Apache-2.0

/// The move that drivers make: MOV of four or eight bytes between a device and a register or a
/// constant, in 64-bit code, with no prefix but REX, at an address that has a base at most. Nearly all
/// that is ever emulated is one. Decoded, it is small enough to be kept and done again.
///
/// It is what the tables and `execute` say of the same bytes.
public struct DeviceMove: Equatable, Sendable {
  public enum Kind: UInt8, Sendable {
    /// Another instruction, or none that was looked at.
    case none
    case load, store, storeConstant
  }

  public private(set) var kind = Kind.none
  /// The register that is loaded or stored; never RSP.
  public private(set) var register: UInt8 = 0
  /// The base register of the address, or `noRegister`; never RSP.
  public private(set) var base: UInt8 = 0
  /// Bytes that are moved: 4 or 8.
  public private(set) var size: UInt8 = 0
  /// Bytes of the instruction.
  public private(set) var length: UInt8 = 0
  /// Bits 11 to 0 of what is added to the base.
  public private(set) var displacement: UInt16 = 0
  /// Sign-extended to eight bytes, it is stored.
  public private(set) var constant: Int32 = 0

  public static var none: DeviceMove { DeviceMove() }
  public static var noRegister: UInt8 { DecodedInstruction.noRegister }

  private init() {}

  /// `none` if the bytes at RIP are no such move.
  public init(_ bytes: InstructionBytes, at pointer: UInt64) {
    self.init()
    var reader = ByteReader(bytes)
    var rex: UInt8 = 0
    var opcode = reader.next()
    if opcode & 0xf0 == 0x40 {
      rex = opcode
      opcode = reader.next()
    }
    let kind: Kind
    switch opcode {
    case 0x8b: kind = .load
    case 0x89: kind = .store
    case 0xc7: kind = .storeConstant
    default: return
    }
    let modRM = reader.next()
    let mod = modRM >> 6
    let field = modRM >> 3 & 7
    // Of registers, or of a group's other instructions.
    if mod == 3 || kind == .storeConstant && field != 0 { return }
    var number = modRM & 7
    let hasSIB = number == 4
    if hasSIB {
      let sib = reader.next()
      // An index.
      if sib >> 3 & 7 != 4 || rex & 2 != 0 { return }
      number = sib & 7
    }
    let hasBase = mod != 0 || number != 5
    base = hasBase ? number | (rex & 1) << 3 : Self.noRegister
    register = field | (rex & 4) << 1
    if base == 4 || register == 4 { return }
    let added = reader.number(!hasBase || mod == 2 ? 4 : mod)
    if kind == .storeConstant { constant = Int32(truncatingIfNeeded: reader.number(4)) }
    length = reader.position
    if length > bytes.count { return }
    size = rex & 8 != 0 ? 8 : 4
    // Without a base it counts from the next instruction, but for a SIB's.
    let start = hasBase || hasSIB ? 0 : pointer &+ UInt64(length)
    displacement = UInt16(truncatingIfNeeded: start &+ UInt64(bitPattern: added)) & 0xfff
    self.kind = kind
  }

  /// As many bytes as are moved. Four bytes clear the rest of a register: SDM vol. 1, 3.4.1.1.
  @inline(__always) public func truncate(_ value: UInt64) -> UInt64 {
    size == 4 ? value & 0xffff_ffff : value
  }
}
