// SPDX-License-Identifier: Apache-2.0
import Contract
import Devices
import X86

/// The guest's local APIC: most registers are the real one's; what could reach beyond the
/// guest is checked here. SDM vol. 3, 11.4 and 11.12.
extension VirtualCPU {
  func readX2APIC(_ register: APICRegister) -> UInt64? {
    switch register {
    case .id: return UInt64(state.apic.id)
    case .logicalDestination: return UInt64(state.apic.address.x2APICLogicalID)
    case .interruptCommand: return 0
    case .endOfInterrupt, .selfInterrupt, .destinationFormat, .interruptCommandHigh: return nil
    default: return readCommon(register).map(UInt64.init)
    }
  }

  func writeX2APIC(_ register: APICRegister, _ value: UInt64) -> Bool {
    switch register {
    case .interruptCommand: return send(InterruptCommand(rawValue: value))
    case .selfInterrupt:
      guard value >> 8 == 0, value >= 16 else { return false }
      requestInterrupt(UInt8(value))
      return true
    case .id, .logicalDestination, .destinationFormat, .interruptCommandHigh: return false
    default:
      guard value >> 32 == 0 else { return false }
      return writeCommon(register, UInt32(value))
    }
  }

  /// Registers that are alike in both modes; nil: no such register.
  func readCommon(_ register: APICRegister) -> UInt32? {
    switch register {
    case .lvtLINT0: state.apic.lint0
    case .lvtLINT1: state.apic.lint1
    case .lvtPerformance: state.apic.performance
    case .lvtThermal: state.apic.thermal
    case .lvtMachineCheck: state.apic.machineCheck
    // Version 0x14, seven LVT entries, no suppression of EOI broadcasts.
    case .version: 0x0005_0014
    case .taskPriority, .processorPriority, .spuriousVector, .errorStatus, .lvtTimer, .lvtError,
      .timerInitialCount, .timerCurrentCount, .timerDivide:
      readRegister(register)
    case _ where register.isTriggerMode:
      triggerModes(register.rawValue - APICRegister.triggerMode0.rawValue)
    default:
      (APICRegister.inService0.rawValue..<APICRegister.errorStatus.rawValue)
        .contains(register.rawValue) ? readRegister(register) : nil
    }
  }

  /// A register that the real APIC has, or the emulated one.
  @inline(__always)
  private func readRegister(_ register: APICRegister) -> UInt32 {
    isEmulated ? readEmulated(register) : processor.readAPIC(register)
  }
  @inline(__always)
  private func writeRegister(_ register: APICRegister, _ value: UInt32) {
    if isEmulated { writeEmulated(register, value) } else { processor.writeAPIC(register, value) }
  }
  /// Makes a vector one that waits in the APIC.
  @inline(__always)
  func requestInterrupt(_ vector: UInt8) {
    if isEmulated {
      acceptInterrupt(vector)
    } else {
      processor.writeAPIC(.selfInterrupt, UInt32(vector))
    }
  }

  /// How the vectors of a word came last: 1 for level. The real one takes all interrupts for edges, and one
  /// that came as such since then is seen only while it is requested or in service. SDM vol. 3, 11.8.4.
  private func triggerModes(_ word: UInt8) -> UInt32 {
    let requested = readRegister(
      APICRegister(rawValue: APICRegister.request0.rawValue + word))
    let served = readRegister(
      APICRegister(rawValue: APICRegister.inService0.rawValue + word))
    let level = state.levelVectors[register: word]
    state.triggerModes[register: word] &= ~((requested | served) & ~level)
    state.triggerModes[register: word] |= level
    return state.triggerModes[register: word]
  }

  /// False: no such register, or a value that would reach beyond the guest.
  func writeCommon(_ register: APICRegister, _ value: UInt32) -> Bool {
    switch register {
    case .taskPriority:
      guard value >> 8 == 0 else { return false }
      writeRegister(register, value)
    case .endOfInterrupt: endOfInterrupt()
    case .spuriousVector: writeRegister(register, value & 0x1ff)
    case .errorStatus: writeRegister(register, 0)
    case .lvtTimer:
      // Vector, mask, mode; delivery is always fixed. Mode 2 is TSC-deadline, 3 reserved.
      let mode = value >> 17 & 3
      guard mode < 2 || mode == 2 && offersTSCDeadline else { return false }
      writeRegister(register, value & LocalVector.timerMask)
    case .lvtError: writeRegister(register, value & LocalVector.errorMask)
    case .timerInitialCount: writeRegister(register, value)
    case .timerDivide: writeRegister(register, value & 0xb)
    case .lvtLINT0:
      state.apic.lint0 = value & LocalVector.pinMask
      noticeExternal()
    case .lvtLINT1: state.apic.lint1 = value & LocalVector.pinMask
    case .lvtPerformance: state.apic.performance = value & LocalVector.internalMask
    case .lvtThermal: state.apic.thermal = value & LocalVector.internalMask
    case .lvtMachineCheck: state.apic.machineCheck = value & LocalVector.internalMask
    default: return false
    }
    return true
  }

  /// EOI of the interrupt with the highest priority in service. It exits only while a
  /// level-triggered line is among them: then that line is told.
  func endOfInterrupt() {
    let vector: UInt8?
    if isEmulated {
      vector = state.apic.software.endOfInterrupt()
    } else {
      // Which vector it is matters only while a line's is in service.
      vector = state.levelVectors.isEmpty ? nil : highestInService
      processor.writeAPIC(.endOfInterrupt, 0)
    }
    guard let vector, state.levelVectors.contains(vector) else { return }
    state.levelVectors.remove(vector)
    interceptEOI()
    if isSplit {
      state.endedLevels.insert(vector)
      state.attention.insert(.events)
      return
    }
    // `changeControllers` takes the lines over first: one that was lowered meanwhile is not
    // delivered again.
    changeControllers { controllers in
      release(controllers.linesInService(vector: vector), &controllers)
      controllers.ioapic.endOfInterrupt(vector: vector)
      return 0
    }
    ringForReleasedLines()
  }

  var highestInService: UInt8? {
    for word in stride(from: UInt8(7), through: 0, by: -1) {
      let register = APICRegister(rawValue: APICRegister.inService0.rawValue + word)
      let bits = processor.readAPIC(register)
      if bits != 0 { return word * 32 + UInt8(31 - bits.leadingZeroBitCount) }
    }
    return nil
  }

  /// Sets which APIC MSRs exit: all of them but in x2APIC mode; then those that only concern
  /// this CPU do not. Of an emulated APIC these are the timer's, where it is this CPU's.
  func interceptAPIC() {
    let isX2APIC = state.apic.base.isX2APIC
    let policy = state.apic.policy
    for number in UInt8(0)...0x3f {
      let register = APICRegister(rawValue: number)
      let isReached =
        switch policy {
        case .direct: isX2APIC
        case .monitor: isX2APIC && Self.isTimerCount(register)
        case .preemption: false
        }
      unit.intercept(
        register.msr, reads: !(isReached && Self.readsDirectly(register)),
        writes: !(isReached && Self.writesDirectly(register)))
    }
    interceptEOI()
    control.statistics.apic_mode =
      isX2APIC
      ? APUS_APIC_X2APIC.rawValue
      : state.apic.base.isEnabled ? APUS_APIC_XAPIC.rawValue : APUS_APIC_DISABLED.rawValue
    let mode =
      switch policy {
      case .direct where !isX2APIC: APUS_TIMER_EMULATED
      case .direct: convertsDeadline ? APUS_TIMER_CONVERTED : APUS_TIMER_DIRECT
      case .monitor: APUS_TIMER_MONITOR
      case .preemption: APUS_TIMER_PREEMPTION
      }
    control.statistics.timer_mode = mode.rawValue
    let deadlineExits = !offersTSCDeadline || convertsDeadline || policy == .preemption
    intercept(.tscDeadline, reads: deadlineExits, writes: deadlineExits)
    if isTracing { traceMode() }
  }

  private var convertsDeadline: Bool { offersTSCDeadline && unit.tscOffset != 0 }

  func interceptEOI() {
    unit.intercept(
      APICRegister.endOfInterrupt.msr, reads: true,
      writes: !state.apic.base.isX2APIC || !state.levelVectors.isEmpty || isEmulated)
  }

  static func isTimerCount(_ register: APICRegister) -> Bool {
    switch register {
    case .timerInitialCount, .timerCurrentCount, .timerDivide: true
    default: false
    }
  }

  static func readsDirectly(_ register: APICRegister) -> Bool {
    switch register {
    case .taskPriority, .processorPriority, .errorStatus, .spuriousVector, .lvtTimer, .lvtError,
      .timerInitialCount, .timerCurrentCount, .timerDivide:
      true
    case _ where register.isTriggerMode: false
    default:
      (APICRegister.inService0.rawValue..<APICRegister.errorStatus.rawValue)
        .contains(register.rawValue)
    }
  }

  static func writesDirectly(_ register: APICRegister) -> Bool {
    switch register {
    case .taskPriority, .errorStatus, .timerInitialCount, .timerDivide, .selfInterrupt: true
    default: false
    }
  }

  /// IA32_APIC_BASE: for the guest the steps of SDM vol. 3, figure 11-27 and no others. Where the page is
  /// moved onto memory, the guest finds the memory there, as with KVM.
  func setAPICBase(_ new: APICBase, by writer: Writer) -> Bool {
    let old = state.apic.base
    let flags = APICBase.bootstrapProcessor | APICBase.x2APICEnable | APICBase.globalEnable
    guard new.rawValue & ~flags & 0xfff == 0, new.address >> physicalAddressBits == 0,
      new.rawValue >> 52 == 0
    else { return false }
    if new.rawValue & APICBase.x2APICEnable != 0, !new.isEnabled { return false }
    if writer == .guest {
      if old.isX2APIC, new.isEnabled, !new.isX2APIC { return false }
      if !old.isEnabled, new.isX2APIC { return false }
    }
    setAPICBaseUnchecked(new)
    return true
  }

  /// MAXPHYADDR of the guest: CPUID 80000008H, and 36 bits without that leaf (SDM vol. 3, 4.1.4).
  private var physicalAddressBits: UInt64 {
    let bits = UInt64(cpuidTable.answer(0x8000_0008, 0).eax & 0xff)
    return bits == 0 ? 36 : bits
  }

  func setAPICBaseUnchecked(_ new: APICBase) {
    if state.apic.base.isEnabled, !new.isEnabled { silenceAPIC() }
    state.apic.base = new
    publishAPIC()
    interceptAPIC()
    updateLines()
  }

  /// An APIC that is switched off requests nothing, its timer included, and takes no EOI: what was in
  /// service is over. SDM vol. 3, 11.4.3.
  private func silenceAPIC() {
    clearAPIC()
    state.levelVectors = VectorSet()
    state.triggerModes = VectorSet()
  }

  /// Without firmware nobody else would open it for the PICs. KVM_X86_QUIRK_LINT0_REENABLED.
  func openLINT0() {
    guard state.apic.base.rawValue & APICBase.bootstrapProcessor != 0,
      vm.disabled_quirks & UInt32(KVM_X86_QUIRK_LINT0_REENABLED) == 0
    else { return }
    state.apic.lint0 = UInt32(DeliveryMode.external.rawValue) << 8
  }

  /// Lets senders on other CPUs see this APIC's mode and addresses, the driver among them.
  func publishAPIC() {
    let address = state.apic.address
    let id = id
    withMachine { $0.apics[id] = address }
    unsafe withUnsafeMutablePointer(to: &pages.vm.pointee.apic_addresses) { words in
      let words = unsafe UnsafeMutableRawPointer(words).assumingMemoryBound(to: UInt32.self)
      unsafe storeRelease(words + id, address.forDriver)
    }
    // A device's interrupt may go elsewhere from now on, and it is the driver that redirects it. A
    // full barrier, which pairs with the driver's before it reads the addresses.
    _ = unsafe fetchOr(&pages.vm.pointee.apics_changed, 1)
    if unsafe loadAcquire(&pages.vm.pointee.watches_apics) != 0 { ringForClient() }
  }
}
