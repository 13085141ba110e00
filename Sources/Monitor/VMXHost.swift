// SPDX-License-Identifier: Apache-2.0
import Contract
import Entry
import MonitorCore
import VMX
import X86

/// VT-x in root mode. NMIs are let in at all times but from an NMI's exit to the IRET that
/// follows it. SDM vol. 3, 24.
enum VMXHost: VirtualizationHost {
  static var kind: apus_vendor { APUS_VENDOR_VMX }

  static var refusal: Refusal? {
    guard cpuid(1, 0).ecx & 1 << 5 != 0 else { return Refusal(APUS_UNFIT_NO_VIRTUALISATION) }
    let features = Entry.readMSR(MSR.featureControl.rawValue)
    if features & FeatureControl.locked != 0, features & FeatureControl.vmx == 0 {
      return Refusal(APUS_UNFIT_FIRMWARE)
    }
    do throws(MissingControl) {
      _ = try capabilities()
      return nil
    } catch {
      return Refusal(APUS_UNFIT_CONTROL, detail: UInt64(error.number))
    }
  }

  static func enable(_ cpu: LentCPU) {
    let features = Entry.readMSR(MSR.featureControl.rawValue)
    if features & FeatureControl.locked == 0 {
      Entry.writeMSR(
        MSR.featureControl.rawValue, features | FeatureControl.locked | FeatureControl.vmx)
    }
    writeCR0(readCR0() | Entry.readMSR(MSR.vmxCR0Fixed0.rawValue))
    writeCR4(readCR4() | Entry.readMSR(MSR.vmxCR4Fixed0.rawValue) | CR4.vmxEnable.rawValue)
    let revision = UInt32(truncatingIfNeeded: Entry.readMSR(MSR.vmxBasic.rawValue) & 0x7fff_ffff)
    unsafe LentCPU.page(APUS_CPU_PAGE_HOST).storeBytes(of: revision, as: UInt32.self)
    vmxon(cpu.physicalPage(APUS_CPU_PAGE_HOST))
  }

  /// Without VMXOFF an INIT would wait for ever (SDM vol. 3, 24.8), and a VMCS that is still current
  /// could be written back after its page has gone to somebody else (25.11.1).
  static func disable() {
    guard CR4(rawValue: readCR4()).contains(.vmxEnable) else { return }
    let current = vmptrst()
    if current != .max { vmclear(current) }
    vmxoff()
    writeCR4(readCR4() & ~CR4.vmxEnable.rawValue)
  }

  static func takeInterrupts() { openInterruptWindow() }
  /// The control alone decides, and root mode has the interrupt flag clear.
  static func letInterruptsExit(_ isOn: Bool) {}

  static func sleep(_ nmis: UnsafePointer<UInt32>, seen: UInt32) {
    unsafe haltWhile(nmis, is: seen)
  }

  static func attach(_ unit: VMXUnit<VMXEntry>) {
    // `refusal` has found that there are such capabilities.
    guard let capabilities = try? capabilities() else { preconditionFailure() }
    unit.attach(capabilities)
  }

  private static func capabilities() throws(MissingControl) -> Capabilities {
    try Capabilities(signature: cpuid(1, 0).eax) { Entry.readMSR($0.rawValue) }
  }
}

/// IA32_FEATURE_CONTROL. SDM vol. 3, 24.7.
private enum FeatureControl {
  static var locked: UInt64 { 1 << 0 }
  /// VMXON outside SMX.
  static var vmx: UInt64 { 1 << 2 }
}

/// The instructions themselves.
struct VMXEntry: VMXInstructions {
  static func of(_ pages: VirtualCPUPages) -> Self { Self() }

  func read(_ encoding: UInt32) -> UInt64 { vmread(UInt64(encoding)) }
  func write(_ encoding: UInt32, _ value: UInt64) { vmwrite(UInt64(encoding), value) }
  func clear(_ block: UInt64) { vmclear(block) }
  func makeCurrent(_ block: UInt64) { vmptrld(block) }
  func invalidate(_ eptPointer: UInt64, _ extent: InvalidationExtent) {
    invept(extent.rawValue, eptPointer)
  }
  func enter(
    _ registers: UnsafeMutableRawPointer, isLaunched: Bool, unlessNMISince seen: UInt64
  ) -> EntryOutcome {
    unsafe EntryOutcome(rawValue: enterVMX(registers, seen: seen, isLaunched: isLaunched ? 1 : 0))
      ?? .failed
  }
  func unblockNMIs() { Entry.unblockNMIs() }
  func takeMachineCheck() { raiseMachineCheck() }
  func surrender() {
    VMXHost.disable()
    while true { halt() }
  }

  func timestamp() -> UInt64 { readTSC() }
  func readMSR(_ msr: MSR) -> UInt64 { Entry.readMSR(msr.rawValue) }
  func writeMSR(_ msr: MSR, _ value: UInt64) -> Bool { tryWriteMSR(msr.rawValue, value) != 0 }
  var cr2: UInt64 {
    get { readCR2() }
    nonmutating set { writeCR2(newValue) }
  }
  var dr6: UInt64 {
    get { readDR6() }
    nonmutating set { writeDR6(newValue) }
  }

  var host: HostRegisters {
    var host = HostRegisters()
    host.cr0 = readCR0()
    host.cr3 = readCR3()
    host.cr4 = readCR4()
    host.efer = Entry.readMSR(MSR.efer.rawValue)
    host.pageAttributeTable = Entry.readMSR(MSR.pageAttributeTable.rawValue)
    host.codeSelector = DescriptorTables.codeSelector
    host.dataSelector = DescriptorTables.dataSelector
    host.taskSelector = DescriptorTables.taskSelector
    host.gdtBase = globalDescriptorTable()
    host.idtBase = interruptDescriptorTable()
    host.taskBase = LentCPU.taskStateAddress
    host.exitAddress = exitVMX
    return host
  }
}
