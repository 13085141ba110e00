// SPDX-License-Identifier: Apache-2.0
import MonitorCore
import X86

extension VMXUnit {
  /// Writes every field that entries and exits look at under the controls in use: a region that
  /// was cleared holds no defined values. SDM vol. 3, 25.11.3.
  public func prepare(portBitmap: HostPhysical, nestedRoot: HostPhysical) {
    unsafe msrBitmap.initializeMemory(as: UInt8.self, repeating: 0xff, count: MSRBitmap.size)
    state.eptPointer = ExtendedPageTable.pointer(to: nestedRoot)
    vmcs[.eptPointer] = state.eptPointer
    vmcs[.msrBitmap] = physicalMSRBitmap
    vmcs[.portBitmapA] = portBitmap.rawValue
    vmcs[.portBitmapB] = portBitmap.rawValue + 4096
    // One vCPU per CPU at a time, and all translations go when it changes.
    vmcs[.virtualProcessorID] = 1
    prepareControls()
    prepareGuest()
  }

  private func prepareControls() {
    vmcs[.pinControls] = capabilities.pin
    vmcs[.primaryControls] = capabilities.primary
    vmcs[.secondaryControls] = capabilities.secondary
    vmcs[.exitControls] = capabilities.exit
    vmcs[.entryControls] = capabilities.entry
    vmcs[.exceptionBitmap] = InterceptedExceptions.mask
    vmcs[.pageFaultMask] = 0
    vmcs[.pageFaultMatch] = 0
    vmcs[.cr3TargetCount] = 0
    vmcs[.exitMSRStoreCount] = 0
    vmcs[.exitMSRLoadCount] = 0
    vmcs[.entryMSRLoadCount] = 0
    vmcs[.entryInterruption] = 0
    vmcs[.entryErrorCode] = 0
    vmcs[.entryInstructionLength] = 0
    vmcs[.cr0Mask] = ~GuestControlRegisters.ownedCR0
    vmcs[.cr4Mask] = ~GuestControlRegisters.ownedCR4
  }

  /// What `VirtualCPU.resetRegisters` does not reach.
  private func prepareGuest() {
    // No shadow VMCS. SDM vol. 3, 25.4.2.
    vmcs[.linkPointer] = .max
    vmcs[.debugControl] = 0
    vmcs[.pageAttributeTable] = 0x0007_0406_0007_0406
    vmcs[.systemEnterCS] = 0
    vmcs[.systemEnterESP] = 0
    vmcs[.systemEnterEIP] = 0
    vmcs[.interruptibility] = 0
    vmcs[.activity] = ActivityState.active
    vmcs[.pendingDebugExceptions] = 0
    for index in 0..<4 { vmcs[.pageDirectoryPointer(index)] = 0 }
  }
}
