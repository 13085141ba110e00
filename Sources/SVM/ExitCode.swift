// SPDX-License-Identifier: Apache-2.0
import MonitorCore
import X86

/// EXITCODE. APM vol. 2, appendix C.
public enum ExitCode {
  static var interrupt: UInt64 { 0x60 }
  static var nonMaskableInterrupt: UInt64 { 0x61 }
  static var virtualInterrupt: UInt64 { 0x64 }
  static var cpuid: UInt64 { 0x72 }
  static var interruptReturn: UInt64 { 0x74 }
  static var softwareInterrupt: UInt64 { 0x75 }
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

  /// The exit in neutral terms, of all but the accesses to MSRs, which EXITINFO1 tells apart.
  @inline(__always)
  public static func decode(_ code: UInt64) -> Exit {
    switch code {
    case nonMaskableInterrupt: .nonMaskableInterrupt
    case 0x40...0x5f: .exception
    case interrupt: .interrupt
    case virtualInterrupt, interruptReturn: .interruptWindow
    case cpuid: .cpuid
    case invd, wbinvd: .cacheControl
    case halt: .halt
    case port: .port
    case msr: .readMSR
    case shutdown: .shutdown
    case vmmcall: .hypercall
    case vmrun...skinit, invlpga: .virtualizationInstruction
    case xsetbv: .setExtendedControl
    case nestedPageFault: .nestedFault
    // QEMU leaves the upper half of EXITCODE clear (measured).
    case invalid, invalid & 0xffff_ffff: .invalidState
    default: decodeRare(code)
    }
  }

  /// What exits only while a debugger watches the guest, its local APIC is emulated, or CPUID hides what the
  /// processor has.
  @inline(never)
  private static func decodeRare(_ code: UInt64) -> Exit {
    switch code {
    // Writes to CR0 to CR15: CR4's, and CR8's while an emulated APIC waits for one.
    case 0x10...0x1f: .controlRegister
    // Reads of DR0 to DR15, and writes.
    case 0x20...0x3f: .debugRegister
    case softwareInterrupt: .softwareInterrupt
    default: .other
    }
  }

  /// EXITINFO1 and 2 of a nested page fault. APM vol. 2, 15.25.6.
  static func nestedFault(_ information: UInt64, address: UInt64) -> NestedFault {
    NestedFault(
      address: GuestPhysical(address), isWrite: information & 2 != 0,
      isExecute: information & 16 != 0,
      isTableWalk: information & 1 << 33 != 0)
  }

  /// EXITINFO1 of an IOIO exit. APM vol. 2, 15.10.2.
  @inline(__always)
  static func portAccess(_ information: UInt64) -> PortAccess {
    // Size as 1, 2 or 4 in bits 4 to 6; IN 0, string 2, REP 3; the port where VT-x has it.
    let qualification =
      information & 0xffff_0000 | (information >> 4 & 7) &- 1 | (information & 1) << 3
      | (information & 1 << 2) << 2 | (information & 1 << 3) << 2
    return PortAccess(
      qualification: qualification, segment: UInt8(truncatingIfNeeded: information >> 10 & 7),
      addressSize: UInt8(truncatingIfNeeded: information >> 7 & 7) * 2)
  }
}
