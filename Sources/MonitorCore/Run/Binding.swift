// SPDX-License-Identifier: Apache-2.0
import Contract
import Devices
import X86

/// A vCPU comes to a CPU and leaves it.
extension VirtualCPU {
  /// Makes this CPU's registers those of the vCPU, for the first time or again.
  public func bind() {
    initializeMachine()
    if !state.isInitialised {
      unsafe pages.state.initialize(
        to: VirtualCPUState(id: control.id, bootstrap: control.bootstrap != 0))
      unsafe pages.machineCheck.initialize(to: MachineCheckBanks())
      forgetSites()
      unit.load()
      unit.prepare(
        portBitmap: HostPhysical(vm.area) + UInt64(APUS_VM_PAGE_IO_BITMAP) * UInt64(APUS_PAGE_SIZE),
        nestedRoot: machine.nestedRoot)
      resetRegisters()
      resetExtendedState()
      openLINT0()
      // As the processor has it: a guest copies with `rep movsb` only where that is fast.
      state.msrs[.miscellaneousEnable] = describingMiscellaneousEnable
      interceptDirectMSRs()
    } else {
      unit.load()
    }
    learnFeatures()
    unit.haltExiting = vm.irqchip == 0
    publishAPIC()
    interceptAPIC()
    loadAPIC()
    restoreExtendedState()
    processor.xcr0 = state.xcr0
    for index in 0..<4 { processor.writeDebugAddress(index, state.debugAddresses[index]) }
    if hasTSCAuxiliary { processor.writeMSR(.tscAuxiliary, state.tscAuxiliary) }
    control.slots_generation = 0
    forgetGuestPages()
    // Whatever waits is looked at before the first entry here.
    state.attention = isEmulated ? [.all, .emulatedAPIC] : .all
    followTrace()
    updateLines()
  }

  /// Leaves everything in the vCPU area and nothing on the CPU.
  public func unbind() {
    // Its pages go from the window too.
    state.attention.remove(.tracing)
    saveExtendedState()
    state.xcr0 = processor.xcr0
    for index in 0..<4 {
      state.debugAddresses[index] = processor.readDebugAddress(index)
      processor.writeDebugAddress(index, 0)
    }
    if hasTSCAuxiliary { state.tscAuxiliary = processor.readMSR(.tscAuxiliary) }
    saveAPIC()
    unit.unload()
  }

  /// The VM's part, once: by the first of its vCPUs, of which several may come at once. Up to then
  /// it is as the driver gave it, zeroed, and so is the lock.
  private func initializeMachine() {
    withMachine { machine in
      guard !machine.isInitialised else { return }
      machine = VirtualMachineState()
      machine.pitScale = (PIT.frequency << 32) / (UInt64(max(vm.tsc_khz, 1)) * 1000)
      machine.nestedRoot = HostPhysical(vm.area) + UInt64(APUS_VM_PAGE_NESTED_ROOT) * 4096
      unsafe pages.portBitmap.initializeMemory(as: UInt8.self, repeating: 0xff, count: 3 * 4096)
      machine.isInitialised = true
    }
  }

  /// IA32_MISC_ENABLE: what describes the processor comes from it (SDM vol. 4: fast strings, bit 0),
  /// and what is not offered is said to be unavailable (BTS and PEBS, bits 11 and 12).
  private var describingMiscellaneousEnable: UInt64 {
    let isIntel = cpu.vendor == APUS_VENDOR_VMX.rawValue
    return 1 << 11 | 1 << 12 | (isIntel ? processor.readMSR(.miscellaneousEnable) & 1 : 1)
  }
}
