// SPDX-License-Identifier: Apache-2.0
import Contract
import Entry
import MonitorCore
import SVM
import X86

/// SVM in root mode. GIF is 0 from `enable` to `disable` but where NMIs are let in. APM vol. 2,
/// 15.4 and 15.17.
enum SVMHost: VirtualizationHost {
  static var kind: apus_vendor { APUS_VENDOR_SVM }

  /// Whether this is SVM's processor at all.
  static var isOffered: Bool {
    cpuid(0x8000_0000, 0).eax >= 0x8000_000a && cpuid(0x8000_0001, 0).ecx & 1 << 2 != 0
  }

  static var refusal: Refusal? {
    guard isOffered else { return Refusal(APUS_UNFIT_NO_VIRTUALISATION) }
    let disabled: UInt64 = 1 << 4
    if Entry.readMSR(MSR.vmControl.rawValue) & disabled != 0 { return Refusal(APUS_UNFIT_FIRMWARE) }
    if cpuid(0x8000_000a, 0).edx & 1 == 0 { return Refusal(APUS_UNFIT_NO_NESTED_PAGING) }
    return nil
  }

  static func enable(_ cpu: LentCPU) {
    Entry.writeMSR(
      MSR.efer.rawValue, Entry.readMSR(MSR.efer.rawValue) | EFER.svmEnable.rawValue)
    Entry.writeMSR(
      MSR.vmHostSavePhysicalAddress.rawValue, cpu.physicalPage(APUS_CPU_PAGE_HOST))
    saveHostState(hostBlock(cpu))
    clearGlobalInterruptFlag()
  }

  /// With GIF 0 an INIT would wait for ever. APM vol. 2, 15.17.
  static func disable() {
    guard EFER(rawValue: Entry.readMSR(MSR.efer.rawValue)).contains(.svmEnable) else { return }
    setGlobalInterruptFlag()
    Entry.writeMSR(MSR.vmHostSavePhysicalAddress.rawValue, 0)
    Entry.writeMSR(
      MSR.efer.rawValue, Entry.readMSR(MSR.efer.rawValue) & ~EFER.svmEnable.rawValue)
  }

  /// The interrupt flag is as before: see `letInterruptsExit`.
  static func takeInterrupts() {
    let flags = readFlags()
    setGlobalInterruptFlag()
    openInterruptWindow()
    clearGlobalInterruptFlag()
    if flags & RFLAGS.interruptEnable.rawValue != 0 { setInterruptFlag() }
  }

  /// With V_INTR_MASKING it is the flag at VMRUN that decides. APM vol. 2, 15.21.1.
  static func letInterruptsExit(_ isOn: Bool) {
    if isOn { setInterruptFlag() } else { clearInterruptFlag() }
  }

  static func sleep(_ nmis: UnsafePointer<UInt32>, seen: UInt32) {
    setGlobalInterruptFlag()
    unsafe haltWhile(nmis, is: seen)
    clearGlobalInterruptFlag()
  }

  static func attach(_ unit: SVMUnit<SVMEntry>) {
    unit.attach(
      hasGigabytePages: cpuid(0x8000_0001, 0).edx & 1 << 26 != 0,
      hasVirtualNMI: cpuid(0x8000_000a, 0).edx & 1 << 25 != 0)
  }

  /// What VMLOAD gives the monitor back after an exit: TR, FS, GS and the system-call MSRs.
  private static func hostBlock(_ cpu: LentCPU) -> UInt64 {
    cpu.physicalPage(APUS_CPU_PAGE_PRIVATE + 1)
  }
}

/// The instructions themselves.
enum SVMEntry: SVMInstructions {
  static func enter(guest: UInt64, host: UInt64, registers: UnsafeMutableRawPointer) {
    unsafe enterSVM(guest, host, registers)
  }
  static func takePendingNMI() { Entry.takePendingNMI() }
  static func takeMachineCheck() { raiseMachineCheck() }
}
