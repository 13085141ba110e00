// SPDX-License-Identifier: Apache-2.0
import MonitorCore

/// EXITCODE. APM vol. 2, appendix C.
public enum ExitCode {
  static var exceptions: ClosedRange<UInt64> { 0x40...0x5f }
  static var interrupt: UInt64 { 0x60 }
  static var nonMaskableInterrupt: UInt64 { 0x61 }
  static var virtualInterrupt: UInt64 { 0x64 }
  static var cpuid: UInt64 { 0x72 }
  static var invd: UInt64 { 0x76 }
  static var halt: UInt64 { 0x78 }
  static var invlpga: UInt64 { 0x7a }
  static var port: UInt64 { 0x7b }
  static var msr: UInt64 { 0x7c }
  static var shutdown: UInt64 { 0x7f }
  static var vmrun: UInt64 { 0x80 }
  static var vmmcall: UInt64 { 0x81 }
  static var skinit: UInt64 { 0x86 }
  static var wbinvd: UInt64 { 0x89 }
  static var xsetbv: UInt64 { 0x8d }
  static var nestedPageFault: UInt64 { 0x400 }
  static var invalid: UInt64 { UInt64.max }

  /// The exit in neutral terms. `information1` and `information2` are EXITINFO1 and 2.
  public static func decode(
    _ code: UInt64, information1: UInt64, information2: UInt64
  ) -> Exit {
    switch code {
    case nonMaskableInterrupt: .nonMaskableInterrupt
    case exceptions:
      .exception(
        vector: UInt8(truncatingIfNeeded: code &- 0x40),
        errorCode: UInt32(truncatingIfNeeded: information1))
    case interrupt: .interrupt
    case virtualInterrupt: .interruptWindow
    case cpuid: .cpuid
    case invd, wbinvd: .cacheControl
    case halt: .halt
    case port: .port(portAccess(information1))
    case msr: information1 & 1 == 0 ? .readMSR : .writeMSR
    case shutdown: .shutdown
    case vmmcall: .hypercall
    case vmrun...skinit, invlpga: .virtualizationInstruction
    case xsetbv: .setExtendedControl
    case nestedPageFault:
      .nestedFault(
        NestedFault(
          address: information2, isWrite: information1 & 2 != 0,
          isExecute: information1 & 16 != 0, isTableWalk: information1 & 1 << 33 != 0))
    // QEMU leaves the upper half of EXITCODE clear (measured).
    case invalid, invalid & 0xffff_ffff: .invalidState(code)
    default: .other(code)
    }
  }

  /// EXITINFO1 of an IOIO exit. APM vol. 2, 15.10.2.
  static func portAccess(_ information: UInt64) -> PortAccess {
    PortAccess(
      port: UInt16(truncatingIfNeeded: information >> 16),
      size: UInt8(truncatingIfNeeded: information >> 4 & 7),
      isInput: information & 1 != 0,
      isString: information & 1 << 2 != 0,
      isRepeated: information & 1 << 3 != 0,
      segment: UInt8(truncatingIfNeeded: information >> 10 & 7),
      addressSize: UInt8(truncatingIfNeeded: information >> 7 & 7) * 2)
  }
}
