// SPDX-License-Identifier: Apache-2.0
import MonitorCore
import X86

/// The instructions of VT-x, and the registers that it leaves to the monitor to switch, as the
/// monitor has them and a test pretends to.
public protocol VMXInstructions {
  /// Those of the CPU that runs the vCPU whose pages are mapped there.
  static func of(_ pages: VirtualCPUPages) -> Self

  /// VMREAD and VMWRITE of the current VMCS.
  func read(_ encoding: UInt32) -> UInt64
  func write(_ encoding: UInt32, _ value: UInt64)
  /// VMCLEAR and VMPTRLD; addresses are physical.
  func clear(_ block: UInt64)
  func makeCurrent(_ block: UInt64)
  /// INVEPT of one EPT pointer's translations, or of everybody's.
  func invalidate(_ eptPointer: UInt64, _ extent: InvalidationExtent)

  /// VMLAUNCH or VMRESUME, unless an NMI was taken since `apus_cpu.nmis` was `seen`.
  func enter(
    _ registers: UnsafeMutableRawPointer, isLaunched: Bool, unlessNMISince seen: UInt64
  ) -> EntryOutcome
  /// An NMI's exit blocks further NMIs until an IRET: this is one.
  func unblockNMIs()
  /// Runs the monitor's handler for a machine check that caused an exit.
  func takeMachineCheck()

  /// VMXOFF, and no return on hardware: INIT, which takes a CPU by force, is blocked as long as the
  /// CPU is in VMX operation. SDM vol. 3, 24.8.
  func surrender()

  func timestamp() -> UInt64
  func readMSR(_ msr: MSR) -> UInt64
  /// False: the processor refused the value.
  func writeMSR(_ msr: MSR, _ value: UInt64) -> Bool
  var cr2: UInt64 { get nonmutating set }
  var dr6: UInt64 { get nonmutating set }
  /// What the processor loads at an exit.
  var host: HostRegisters { get }
}

/// INVEPT's types. SDM vol. 3, 31.3.
public enum InvalidationExtent: UInt64, Sendable {
  case single = 1
  case everything = 2
}

/// How the routine of enter_vmx.S returned; the numbers are its own.
public enum EntryOutcome: UInt32, Sendable {
  case exited = 0
  /// An NMI in root mode came first.
  case prevented = 1
  /// VMfail: the VM-instruction error says why.
  case failed = 2
}

/// The monitor's own registers for the host-state area. SDM vol. 3, 25.5.
public struct HostRegisters: Equatable, Sendable {
  public var cr0: UInt64 = 0
  public var cr3: UInt64 = 0
  public var cr4: UInt64 = 0
  public var efer: UInt64 = 0
  public var pageAttributeTable: UInt64 = 0
  public var codeSelector: UInt16 = 0
  public var dataSelector: UInt16 = 0
  public var taskSelector: UInt16 = 0
  public var taskBase: UInt64 = 0
  public var gdtBase: UInt64 = 0
  public var idtBase: UInt64 = 0
  /// Where an exit arrives: a label of enter_vmx.S, which sets the stack itself.
  public var exitAddress: UInt64 = 0
  public init() {}
}

extension VMCS {
  /// The host-state area, all but RSP. FS, GS and SYSENTER are not used in root mode.
  func write(_ host: HostRegisters) {
    self[.hostCR0] = host.cr0
    self[.hostCR3] = host.cr3
    self[.hostCR4] = host.cr4
    self[.hostEFER] = host.efer
    self[.hostPageAttributeTable] = host.pageAttributeTable
    self[.hostCS] = host.codeSelector
    self[.hostSS] = host.dataSelector
    self[.hostDS] = host.dataSelector
    self[.hostES] = host.dataSelector
    self[.hostFS] = 0
    self[.hostGS] = 0
    self[.hostTR] = host.taskSelector
    self[.hostFSBase] = 0
    self[.hostGSBase] = 0
    self[.hostTRBase] = host.taskBase
    self[.hostGDTRBase] = host.gdtBase
    self[.hostIDTRBase] = host.idtBase
    self[.hostSystemEnterCS] = 0
    self[.hostSystemEnterESP] = 0
    self[.hostSystemEnterEIP] = 0
    self[.hostRIP] = host.exitAddress
  }
}
