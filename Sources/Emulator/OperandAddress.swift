// SPDX-License-Identifier: Apache-2.0
import X86

/// From an operand's address in the instruction to a linear address.
extension Emulator {
  /// The offset of rm in its segment. SDM vol. 1, 3.7.5.
  mutating func offset(_ context: some EmulatorContext) -> UInt64 {
    let registers = context.registers
    var sum = UInt64(bitPattern: instruction.displacement)
    if instruction.base != DecodedInstruction.noRegister {
      sum &+= registers[instruction.base]
    }
    if instruction.index != DecodedInstruction.noRegister {
      sum &+= registers[instruction.index] &<< UInt64(instruction.scale)
    }
    if instruction.isRelative { sum &+= next }
    return sum & mask(instruction.addressSize)
  }

  /// The linear address of `size` bytes, which the segment allows. SDM vol. 3, 5.3 and 5.5.
  @inline(never)
  mutating func linear(
    _ context: some EmulatorContext, _ name: SegmentName, _ offset: UInt64, size: UInt8,
    isWrite: Bool
  ) throws(Stop) -> Linear {
    guard instruction.mode == .bits64 else {
      return try legacyLinear(context, name, offset, size: size, isWrite: isWrite)
    }
    // Only FS and GS have a base.
    let linear = name == .fs || name == .gs ? context[name].base &+ offset : offset
    let bits = context.linearAddressBits
    guard isCanonical(linear, bits), isCanonical(linear &+ UInt64(size) &- 1, bits) else {
      throw segmentFault(name)
    }
    return Linear(linear)
  }

  @inline(__always) mutating func isCanonical(_ linear: UInt64, _ bits: UInt8) -> Bool {
    let unused = Int64(64 - bits)
    return (Int64(bitPattern: linear) &<< unused) &>> unused == Int64(bitPattern: linear)
  }

  private mutating func legacyLinear(
    _ context: some EmulatorContext, _ name: SegmentName, _ offset: UInt64, size: UInt8,
    isWrite: Bool
  ) throws(Stop) -> Linear {
    let segment = context[name]
    let isProtected =
      context.controlRegister0.contains(.protectionEnable) && !flags.contains(.virtual8086)
    if isProtected, !segment.attributes.allows(isWrite: isWrite) { throw segmentFault(name) }
    guard segment.contains(offset, size: size) else { throw segmentFault(name) }
    return Linear((segment.base &+ offset) & 0xffff_ffff)
  }

  private mutating func segmentFault(_ name: SegmentName) -> Stop {
    raise(name == .ss ? GuestFault(.stackFault) : .generalProtection)
  }
}

extension SegmentAttributes {
  private var isCode: Bool { type & 8 != 0 }
  /// Of data: writable. Of code: readable.
  private var isOpen: Bool { type & 2 != 0 }

  /// Whether data may be accessed through the segment.
  fileprivate func allows(isWrite: Bool) -> Bool {
    guard !isUnusable, isPresent else { return false }
    if isWrite { return !isCode && isOpen }
    return !isCode || isOpen
  }

  fileprivate var expandsDown: Bool { isCodeOrData && !isCode && type & 4 != 0 }
}

extension Segment {
  /// Whether the limit allows these bytes. SDM vol. 3, 5.3.
  fileprivate func contains(_ offset: UInt64, size: UInt8) -> Bool {
    let last = offset + UInt64(size) - 1
    guard attributes.expandsDown else { return last <= UInt64(limit) }
    let top: UInt64 = attributes.isDefaultBig ? 0xffff_ffff : 0xffff
    return offset > UInt64(limit) && last <= top
  }
}
