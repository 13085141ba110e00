// SPDX-License-Identifier: Apache-2.0

/// An instruction whose exit names it, without its prefixes: the opcode's bytes, the lowest first, and
/// how many they are. SDM vol. 2, appendix A.
struct ExitingInstruction {
  let opcode: UInt32
  let length: Int

  /// Whether these bytes, the lowest first, begin with it: it has no prefixes.
  @inline(__always)
  func begins(_ bytes: UInt64) -> Bool {
    (UInt32(truncatingIfNeeded: bytes) ^ opcode) << UInt32(32 - length * 8) == 0
  }

  static var cpuid: Self { Self(opcode: 0xa2_0f, length: 2) }
  static var readMSR: Self { Self(opcode: 0x32_0f, length: 2) }
  static var writeMSR: Self { Self(opcode: 0x30_0f, length: 2) }
  static var halt: Self { Self(opcode: 0xf4, length: 1) }
  /// VMMCALL, which has no other form on processors that do not say its length.
  static var hypercall: Self { Self(opcode: 0xd9_01_0f, length: 3) }
  static var setExtendedControl: Self { Self(opcode: 0xd1_01_0f, length: 3) }
  /// WBINVD; INVD differs in one bit.
  static var cacheControl: Self { Self(opcode: 0x09_0f, length: 2) }
  /// IN and OUT with the port in DX. Both vendors say where the next instruction is.
  static var port: Self { Self(opcode: 0xec, length: 1) }
  /// With its ModRM byte, which the opcode here does not match: the prefixes are counted.
  static var moveControlOrDebugRegister: Self { Self(opcode: 0, length: 3) }
}
