// SPDX-License-Identifier: Apache-2.0
import MonitorCore
import X86

/// What an exit's qualification says. SDM vol. 3, 28.2.1.
public enum ExitQualification {
  /// An I/O instruction, table 28-5; of INS and OUTS the instruction information has the address
  /// size and, of OUTS, the segment (table 28-8).
  @inline(__always)
  public static func port(
    _ qualification: UInt64, instruction: @autoclosure () -> UInt32
  ) -> PortAccess {
    let isString = qualification & 1 << 4 != 0
    guard isString else { return PortAccess(qualification: qualification) }
    let information = instruction()
    let isInput = qualification & 1 << 3 != 0
    return PortAccess(
      qualification: qualification,
      segment: isInput ? 3 : UInt8(truncatingIfNeeded: information >> 15 & 7),
      addressSize: 2 << UInt8(truncatingIfNeeded: information >> 7 & 3))
  }

  /// A control-register access, table 28-3.
  public static func controlRegister(_ qualification: UInt64) -> ControlRegisterAccess? {
    guard
      let kind = ControlRegisterAccess.Kind(
        rawValue: UInt8(truncatingIfNeeded: qualification >> 4 & 3))
    else { return nil }
    return ControlRegisterAccess(
      number: UInt8(truncatingIfNeeded: qualification & 15), kind: kind,
      register: UInt8(truncatingIfNeeded: qualification >> 8 & 15),
      source: UInt16(truncatingIfNeeded: qualification >> 16))
  }

  /// MOV to or from a debug register, table 28-4.
  public static func debugRegister(_ qualification: UInt64) -> DebugRegisterAccess {
    DebugRegisterAccess(
      number: UInt8(truncatingIfNeeded: qualification & 7),
      isRead: qualification & 1 << 4 != 0,
      register: UInt8(truncatingIfNeeded: qualification >> 8 & 15))
  }

  /// An EPT violation, table 28-7.
  public static func nestedFault(_ qualification: UInt64, address: UInt64) -> NestedFault {
    NestedFault(
      address: GuestPhysical(address), isWrite: qualification & 1 << 1 != 0,
      isExecute: qualification & 1 << 2 != 0,
      // A linear address is known, and it is not what was translated.
      isTableWalk: qualification & (1 << 7 | 1 << 8) == 1 << 7)
  }

  /// Bit 12 of an EPT violation's qualification and of an exception's information: the exit
  /// met an IRET that had ended the blocking of NMIs already. SDM vol. 3, 28.2.3.
  static var unblockedNMIs: UInt64 { 1 << 12 }
}
