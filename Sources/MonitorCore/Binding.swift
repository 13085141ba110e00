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
      unit.load()
      unit.prepare(
        portBitmap: vm.area + UInt64(APUS_VM_PAGE_IO_BITMAP) * UInt64(APUS_PAGE_SIZE),
        nestedRoot: machine.nestedRoot)
      resetRegisters()
      resetExtendedState()
      // As the processor has it: a guest copies with `rep movsb` only where that is fast.
      state.msrs[.miscellaneousEnable] = describingMiscellaneousEnable
      let direct = Self.directMSRs
      for index in direct.indices { unit.intercept(direct[index], reads: false, writes: false) }
    } else {
      unit.load()
    }
    learnFeatures()
    unit.haltExiting = vm.irqchip == 0
    publishAPIC()
    interceptAPIC()
    loadRealAPIC()
    restoreExtendedState()
    processor.xcr0 = state.xcr0
    for index in 0..<4 { processor.writeDebugAddress(index, state.debugAddresses[index]) }
    if hasTSCAuxiliary { processor.writeMSR(.tscAuxiliary, state.tscAuxiliary) }
    control.slots_generation = 0
    forgetGuestPages()
    // Whatever waits is looked at before the first entry here.
    state.attention = .all
    updateLines()
  }

  /// Leaves everything in the vCPU area and nothing on the CPU.
  public func unbind() {
    saveExtendedState()
    state.xcr0 = processor.xcr0
    for index in 0..<4 {
      state.debugAddresses[index] = processor.readDebugAddress(index)
      processor.writeDebugAddress(index, 0)
    }
    if hasTSCAuxiliary { state.tscAuxiliary = processor.readMSR(.tscAuxiliary) }
    saveRealAPIC()
    unit.unload()
  }

  /// The VM's part, once: by the first of its vCPUs, of which several may come at once. Up to then
  /// it is as the driver gave it, zeroed, and so is the lock.
  private func initializeMachine() {
    withMachine { machine in
      guard !machine.isInitialised else { return }
      machine = VirtualMachineState()
      machine.pitScale = (PIT.frequency << 32) / (UInt64(max(vm.tsc_khz, 1)) * 1000)
      machine.nestedRoot = vm.area + UInt64(APUS_VM_PAGE_NESTED_ROOT) * 4096
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

  /// MSRs that are switched with the guest, or are this CPU's alone while it is lent.
  static var directMSRs: InlineArray<13, MSR> {
    [
      .star, .lstar, .cstar, .systemCallMask, .fsBase, .gsBase, .kernelGSBase, .systemEnterCS,
      .systemEnterESP, .systemEnterEIP, .pageAttributeTable, .predictionCommand, .tscAuxiliary,
    ]
  }

  /// The register state after INIT. SDM vol. 3, table 10-1.
  func resetRegisters() {
    state.registers = GuestRegisters()
    state.registers.rdx = 0x600
    unit.cr0 = CR0.reset.rawValue
    unit.cr2 = 0
    unit.cr3 = 0
    unit.cr4 = 0
    unit.efer = 0
    unit.flags = .alwaysOne
    unit.instructionPointer = 0xfff0
    unit.stackPointer = 0
    unit.dr6 = 0xffff_0ff0
    unit.dr7 = 0x400
    unit.injection = nil
    unit.interruptShadow = false
    unit[.cs] = Segment(
      selector: 0xf000, attributes: .realModeCode, base: 0xffff_0000)
    unit[.ds] = Segment(attributes: .realModeData)
    unit[.es] = Segment(attributes: .realModeData)
    unit[.ss] = Segment(attributes: .realModeData)
    unit[.fs] = Segment(attributes: .realModeData)
    unit[.gs] = Segment(attributes: .realModeData)
    unit[.ldtr] = Segment(attributes: .localDescriptorTable)
    unit[.tr] = Segment(attributes: .busyTaskState)
    unit.gdt = DescriptorTable(limit: 0xffff, base: 0)
    unit.idt = DescriptorTable(limit: 0xffff, base: 0)
    unit.flushTranslations()
  }

  /// Through the same checks as the guest's own writes: the values may be the client's.
  func loadRealAPIC() {
    let saved = state.apic.saved
    _ = writeCommon(.spuriousVector, saved.spuriousVector)
    _ = writeCommon(.taskPriority, saved.taskPriority & 0xff)
    _ = writeCommon(.lvtError, saved.lvtError)
    _ = writeCommon(.timerDivide, saved.timerDivide)
    _ = writeCommon(.lvtTimer, saved.lvtTimer)
    _ = writeCommon(.timerInitialCount, saved.timerInitialCount)
    if saved.tscDeadline != 0, offersTSCDeadline {
      processor.writeMSR(.tscDeadline, saved.tscDeadline)
    }
    for word in UInt8(0)..<8 {
      var bits = saved.requests[Int(word)]
      while bits != 0 {
        let bit = UInt8(bits.trailingZeroBitCount)
        bits &= bits &- 1
        processor.writeAPIC(.selfInterrupt, UInt32(word * 32 + bit))
      }
    }
  }

  /// Takes the vCPU's registers out of the real APIC and empties that.
  private func saveRealAPIC() {
    var saved = SavedAPIC()
    saved.lvtTimer = processor.readAPIC(.lvtTimer)
    saved.timerDivide = processor.readAPIC(.timerDivide)
    let remaining = processor.readAPIC(.timerCurrentCount)
    let periodic = saved.lvtTimer >> 17 & 3 == 1
    saved.timerInitialCount =
      periodic ? processor.readAPIC(.timerInitialCount) : remaining
    if saved.lvtTimer >> 17 & 3 == 2 {
      let deadline = processor.readMSR(.tscDeadline)
      // One that is past stands in the request register; Bochs goes on showing it (measured).
      saved.tscDeadline = deadline > processor.timestamp() ? deadline : 0
    }
    saved.lvtError = processor.readAPIC(.lvtError)
    saved.spuriousVector = processor.readAPIC(.spuriousVector)
    saved.taskPriority = processor.readAPIC(.taskPriority)
    for word in UInt8(0)..<8 {
      let base = APICRegister.request0.rawValue + word
      saved.requests[Int(word)] = processor.readAPIC(APICRegister(rawValue: base))
    }
    state.apic.saved = saved
    clearRealAPIC()
  }

  func clearRealAPIC() {
    processor.drainAPIC()
  }
}
