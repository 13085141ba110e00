// SPDX-License-Identifier: Apache-2.0
import Contract
import MonitorCore
import Testing

@testable import VMX

@Suite("Exit reasons")
struct ExitReasonTests {
  /// An exit with these fields, of a guest whose client is told of HLT.
  func exit(
    _ reason: UInt32, _ fields: [UInt32: UInt64] = [:]
  ) throws -> (kind: Exit, unit: VMXUnit<PretendedVMX>, guest: PretendedGuest) {
    let guest = try PretendedGuest()
    guest.unit.haltExiting = true
    return (guest.exit(fields.merging([0x4402: UInt64(reason)]) { $1 }), guest.unit, guest)
  }

  @Test(
    "Are those of SDM vol. 3, appendix C",
    arguments: [
      (1, .interrupt), (2, .shutdown), (3, .other), (4, .other), (7, .interruptWindow),
      (8, .interruptWindow), (9, .other), (10, .cpuid), (11, .virtualizationInstruction),
      (12, .halt), (13, .cacheControl), (14, .other), (15, .other), (16, .other),
      (18, .hypercall), (19, .virtualizationInstruction), (20, .virtualizationInstruction),
      (21, .virtualizationInstruction), (22, .virtualizationInstruction),
      (23, .virtualizationInstruction), (24, .virtualizationInstruction),
      (25, .virtualizationInstruction), (26, .virtualizationInstruction),
      (27, .virtualizationInstruction), (29, .debugRegister), (31, .readMSR), (32, .writeMSR),
      (36, .virtualizationInstruction), (37, .other), (39, .virtualizationInstruction),
      (40, .other), (43, .interruptWindow), (49, .other), (50, .virtualizationInstruction),
      (52, .preemptionTimer), (53, .virtualizationInstruction), (54, .cacheControl),
      (55, .setExtendedControl), (59, .virtualizationInstruction), (60, .virtualizationInstruction),
      (63, .other),
      (76, .virtualizationInstruction), (77, .virtualizationInstruction), (78, .other),
      (0x8000_0021, .invalidState), (0x8000_0022, .invalidState),
      (0x8000_0029, .invalidState),
    ] as [(UInt32, Exit)])
  func reasons(reason: UInt32, exit: Exit) throws {
    #expect(try self.exit(reason).kind == exit)
  }

  /// Table 25-17: vector 0 to 7, type 8 to 10, error code 11, valid 31.
  @Test(
    "Reason 0 is an exception or an NMI",
    arguments: [
      (0x8000_0301, 7, 1, 0), (0x8000_0501, 0, 1, 0), (0x8000_0b11, 1, 17, 1),
      (0x8000_0312, 0, 18, 0),
    ] as [(UInt64, UInt64, UInt8, UInt32)])
  func exceptions(information: UInt64, code: UInt64, vector: UInt8, errorCode: UInt32) throws {
    let exit = try exit(0, [0x4404: information, 0x4406: code])
    #expect(exit.kind == .exception)
    #expect(exit.unit.exitException == ExitException(vector: vector, errorCode: errorCode))
    #expect(try self.exit(0, [0x4404: 0x8000_0202]).kind == .nonMaskableInterrupt)
  }

  /// Table 28-5: size less one 0 to 2, IN 3, string 4, REP 5, port 16 to 31. Table 28-8: address
  /// size 7 to 9, segment 15 to 17.
  @Test(
    "Reason 30 is an access to a port",
    arguments: [
      (0x03f8_0008, 0, PortAccess(port: 0x3f8, size: 1, isInput: true)),
      (0x0070_0040, 0x1_0080, PortAccess(port: 0x70, size: 1, isInput: false)),
      (0x0cfc_0003, 0, PortAccess(port: 0xcfc, size: 4, isInput: false)),
      (
        0xffff_0031, 0x2_0080,
        PortAccess(
          port: 0xffff, size: 2, isInput: false, isString: true, isRepeated: true, segment: 4,
          addressSize: 4)
      ),
      (
        0x01f0_0039, 0x100,
        PortAccess(
          port: 0x1f0, size: 2, isInput: true, isString: true, isRepeated: true, addressSize: 8)
      ),
      (
        0x0060_0010, 0x1_8000,
        PortAccess(
          port: 0x60, size: 1, isInput: false, isString: true, isRepeated: false, segment: 3,
          addressSize: 2)
      ),
    ] as [(UInt64, UInt64, PortAccess)])
  func ports(qualification: UInt64, instruction: UInt64, access: PortAccess) throws {
    let exit = try exit(30, [0x6400: qualification, 0x440e: instruction])
    #expect(exit.kind == .port)
    #expect(exit.unit.exitPortAccess == access)
  }

  /// Table 28-3: register 0 to 3, type 4 and 5, source 8 to 11, LMSW's operand 16 to 31.
  @Test(
    "Reason 28 is an access to a control register",
    arguments: [
      (0x0, ControlRegisterAccess(number: 0, kind: .write, register: 0)),
      (0x603, ControlRegisterAccess(number: 3, kind: .write, register: 6)),
      (0xf14, ControlRegisterAccess(number: 4, kind: .read, register: 15)),
      (0x20, ControlRegisterAccess(number: 0, kind: .clearTaskSwitched, register: 0)),
      (
        0xfff1_0030,
        ControlRegisterAccess(number: 0, kind: .loadStatusWord, register: 0, source: 0xfff1)
      ),
    ] as [(UInt64, ControlRegisterAccess)])
  func controlRegisters(qualification: UInt64, access: ControlRegisterAccess) throws {
    let exit = try exit(28, [0x6400: qualification])
    #expect(exit.kind == .controlRegister)
    #expect(exit.unit.exitControlRegister == access)
  }

  /// Table 28-7: read 0, write 1, fetch 2.
  @Test(
    "Reason 48 is an access that the EPT do not allow",
    arguments: [
      (0x181, false, false), (0x182, true, false), (0x184, false, true), (0x183, true, false),
    ])
  func nestedFaults(qualification: UInt64, isWrite: Bool, isExecute: Bool) throws {
    let exit = try exit(48, [0x6400: qualification, 0x2400: 0xfee0_0300])
    #expect(exit.kind == .nestedFault)
    #expect(
      exit.unit.exitNestedFault
        == NestedFault(address: 0xfee0_0300, isWrite: isWrite, isExecute: isExecute))
  }

  @Test(
    "A refused entry is told in words",
    arguments: [
      (0x8000_0021, "invalid guest state"), (0x8000_0022, "an MSR could not be loaded"),
      (0x8000_0029, "machine check during the entry"), (7, "invalid control fields"),
      (8, "invalid host state"), (5, "VMRESUME with a VMCS that was not launched"),
      (26, "events blocked by MOV SS"), (14, "unknown reason"), (.max, "invalid guest state"),
    ] as [(UInt64, String)])
  func words(code: UInt64, words: String) {
    #expect(String(cString: apus_entry_failure_words(code)) == words)
  }
}
