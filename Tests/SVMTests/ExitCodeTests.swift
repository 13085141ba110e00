// SPDX-License-Identifier: Apache-2.0
import MonitorCore
import Testing

@testable import SVM

@Suite("Exit codes")
struct ExitCodeTests {
  @Test(
    "Are those of APM vol. 2, appendix C",
    arguments: [
      (0x41, .exception), (0x51, .exception), (0x52, .exception), (0x60, .interrupt),
      (0x61, .nonMaskableInterrupt), (0x64, .interruptWindow), (0x72, .cpuid),
      (0x76, .cacheControl), (0x78, .halt), (0x7a, .virtualizationInstruction), (0x7b, .port),
      (0x7c, .readMSR), (0x7f, .shutdown), (0x80, .virtualizationInstruction),
      (0x81, .hypercall), (0x82, .virtualizationInstruction), (0x83, .virtualizationInstruction),
      (0x84, .virtualizationInstruction), (0x85, .virtualizationInstruction),
      (0x86, .virtualizationInstruction), (0x89, .cacheControl), (0x8d, .setExtendedControl),
      (0x400, .nestedFault), (.max, .invalidState), (0x62, .other), (0x87, .other),
      (0x401, .other),
    ] as [(UInt64, Exit)])
  func codes(code: UInt64, exit: Exit) {
    #expect(ExitCode.decode(code) == exit)
  }

  /// APM vol. 2, figure 15-2: TYPE 0, STR 2, REP 3, SZ8 to SZ32 4 to 6, A16 to A64 7 to 9,
  /// SEG 10 to 12, PORT 16 to 31.
  @Test(
    "A port access is described by EXITINFO1",
    arguments: [
      (0x03f8_0211, PortAccess(port: 0x3f8, size: 1, isInput: true, segment: 0, addressSize: 8)),
      (0x0cfc_0240, PortAccess(port: 0xcfc, size: 4, isInput: false, segment: 0, addressSize: 8)),
      (
        0xffff_0d2c,
        PortAccess(
          port: 0xffff, size: 2, isInput: false, isString: true, isRepeated: true, segment: 3,
          addressSize: 4)
      ),
      (
        0x0060_0095,
        PortAccess(
          port: 0x60, size: 1, isInput: true, isString: true, isRepeated: false, segment: 0,
          addressSize: 2)
      ),
    ] as [(UInt64, PortAccess)])
  func ports(information: UInt64, access: PortAccess) {
    #expect(ExitCode.portAccess(information) == access)
  }

  @Test(
    "A nested page fault names its address in EXITINFO2 and its cause in EXITINFO1",
    arguments: [
      (0x1_0000_0004, false, false), (0x1_0000_0006, true, false), (0x1_0000_0014, false, true),
      (0x1_0000_0007, true, false),
    ] as [(UInt64, Bool, Bool)])
  func nestedFaults(information: UInt64, isWrite: Bool, isExecute: Bool) {
    #expect(
      ExitCode.nestedFault(information, address: 0xfee0_0300)
        == NestedFault(address: 0xfee0_0300, isWrite: isWrite, isExecute: isExecute))
  }

  @Test("EXITINFO1 bit 33 is a fault of the walk through the guest's page tables")
  func tableWalk() {
    #expect(
      ExitCode.nestedFault(0x2_0000_0007, address: 0x5000)
        == NestedFault(address: 0x5000, isWrite: true, isExecute: false, isTableWalk: true))
  }
}
