// SPDX-License-Identifier: Apache-2.0
import Contract
import MonitorCore
import X86

/// SVM behind the protocol of both vendors: a vCPU's pages, of which one is its VMCB.
@safe public struct SVMUnit<Instructions: SVMInstructions>: VirtualizationUnit {
  public typealias Tables = NestedPageTable

  private let pages: VirtualCPUPages

  public static func of(_ pages: VirtualCPUPages) -> Self { unsafe Self(pages: pages) }
  private init(pages: VirtualCPUPages) { unsafe self.pages = unsafe pages }

  var vmcb: VMCB { unsafe VMCB(at: pages.vcpuPage(APUS_VCPU_PAGE_VMCB)) }
  private var msrBitmap: UnsafeMutableRawPointer {
    unsafe pages.vcpuPage(APUS_VCPU_PAGE_MSR_BITMAP)
  }
  /// The physical addresses of the guest's VMCB, and of the host's, which keeps what VMLOAD gives back.
  private var block: UInt64 { unsafe pages.physicalVCPUPage(APUS_VCPU_PAGE_VMCB) }
  private var hostBlock: UInt64 { unsafe pages.physicalCPUPage(APUS_CPU_PAGE_PRIVATE + 1) }

  /// Known to the VMCB's page since `attach`, so that no exit asks CPUID.
  public var hasGigabytePages: Bool { vmcb[.hasGigabytePages] != 0 }

  /// Tells the unit what the processor under it can do, before it is loaded there.
  public func attach(hasGigabytePages: Bool, hasVirtualNMI: Bool) {
    vmcb[.hasGigabytePages] = hasGigabytePages ? 1 : 0
    if hasVirtualNMI { vmcb[.virtualInterrupt] |= Self.virtualNMIEnable }
  }

  /// V_IRQ, V_IGN_TPR and the vector's place. APM vol. 2, 15.21.4.
  static var virtualIRQ: UInt64 { 1 << 8 }
  static var virtualIgnoreTPR: UInt64 { 1 << 20 }
  static var virtualInterruptBits: UInt64 { virtualIRQ | virtualIgnoreTPR | 0xf << 16 | 0xff << 32 }

  public func prepare(portBitmap: HostPhysical, nestedRoot: HostPhysical) {
    unsafe msrBitmap.initializeMemory(as: UInt8.self, repeating: 0xff, count: MSRBitmap.size)
    vmcb[.exceptionIntercepts] = InterceptedExceptions.mask
    vmcb[.intercepts1] = Intercepts1.direct.rawValue
    vmcb[.intercepts2] = Intercepts2.direct.rawValue
    vmcb[.portBitmap] = portBitmap.rawValue
    vmcb[.msrBitmap] = unsafe pages.physicalVCPUPage(APUS_VCPU_PAGE_MSR_BITMAP)
    vmcb[.asid] = 1
    vmcb[.tlbControl] = 1
    vmcb[.nestedPaging] = 1
    vmcb[.nestedCR3] = nestedRoot.rawValue
    vmcb[.pageAttributeTable] = 0x0007_0406_0007_0406
  }

  public func load() { flushTranslations() }
  public func unload() {}

  /// GIF is 0: an NMI waits, and exits at once.
  @inline(__always)
  public func enter(_ registers: inout GuestRegisters, unlessNMISince seen: UInt64) -> Exit {
    vmcb[.rax] = registers.rax
    // No clean bit is ever set: exits are rare here, a stale cache would not be.
    vmcb[.cleanBits] = 0
    unsafe withUnsafeMutablePointer(to: &registers) {
      unsafe Instructions.enter(
        guest: block, host: hostBlock, registers: UnsafeMutableRawPointer($0))
    }
    vmcb[.eventInjection] = 0
    registers.rax = vmcb[.rax]
    let exit = ExitCode.decode(vmcb[.exitCode])
    if exit.isPlain, !vmcb[.nmiState].contains(.isStepping) {
      vmcb[.tlbControl] = 0
      return exit == .readMSR && vmcb[.exitInfo1] & 1 != 0 ? .writeMSR : exit
    }
    return settle(exit)
  }

  /// What an exit leaves to be done.
  @inline(never)
  private func settle(_ exit: Exit) -> Exit {
    var exit = exit
    if exit == .readMSR, vmcb[.exitInfo1] & 1 != 0 { exit = .writeMSR }
    // An entry that was refused may not have come to the flush. APM vol. 2, 15.5.1.
    if exit != .invalidState { vmcb[.tlbControl] = 0 }
    if exit == .nonMaskableInterrupt { Instructions.takePendingNMI() }
    if vmcb[.exitCode] == ExitCode.interruptReturn { reachReturn() }
    // Unlike an NMI's, its exit is all there is of it: nobody else would clear MCG_STATUS.MCIP, and
    // the next one would shut the processor down. APM vol. 2, 9.3.2.
    if exit == .exception, exitException.vector == ExceptionVector.machineCheck.rawValue {
      Instructions.takeMachineCheck()
    }
    return vmcb[.nmiState].contains(.isStepping) ? endStep(exit) : exit
  }

  public var exitException: ExitException {
    ExitException(
      vector: UInt8(truncatingIfNeeded: vmcb[.exitCode] &- 0x40),
      errorCode: UInt32(truncatingIfNeeded: vmcb[.exitInfo1]))
  }
  public var exitPortAccess: PortAccess { ExitCode.portAccess(vmcb[.exitInfo1]) }
  public var exitNestedFault: NestedFault {
    ExitCode.nestedFault(vmcb[.exitInfo1], address: vmcb[.exitInfo2])
  }
  /// Only writes are intercepted. EXITCODE has the register (APM vol. 2, appendix C), and EXITINFO1 with bit
  /// 63 the general register, where the processor assists in decoding (15.8.1).
  public var exitControlRegister: ControlRegisterAccess? {
    let information = vmcb[.exitInfo1]
    return ControlRegisterAccess(
      number: UInt8(truncatingIfNeeded: vmcb[.exitCode] & 15), kind: .write,
      register: information >> 63 == 0 ? nil : UInt8(truncatingIfNeeded: information & 0xf))
  }
  public func interceptCR4(hidden: UInt64) {
    if hidden != 0 {
      vmcb[.controlRegisterIntercepts] |= Self.writesOfCR4
    } else {
      vmcb[.controlRegisterIntercepts] &= ~Self.writesOfCR4
    }
  }
  /// Reads of CR0 to CR15 in the lower half, writes in the upper. APM vol. 2, appendix B.
  private static var writesOfCR4: UInt32 { 1 << 20 }

  public var exitInstructionLength: UInt64 {
    let next = vmcb[.exitCode] == ExitCode.port ? vmcb[.exitInfo2] : vmcb[.nextRIP]
    return next == 0 ? 0 : (next &- vmcb[.rip]) & 0xf
  }
  public var exitCode: UInt64 { vmcb[.exitCode] }
  public var exitInformation: UInt64 {
    vmcb[.exitCode] == ExitCode.nestedPageFault ? vmcb[.exitInfo2] : vmcb[.exitInfo1]
  }
  public var exitInstructionPointer: UInt64 { vmcb[.rip] }
  public var wasDelivering: Bool { vmcb[.exitInterruptInfo] & EventInjection.valid != 0 }
  public func takeInterruptedEvent() -> Event? {
    let event = EventInjection.decode(vmcb[.exitInterruptInfo])
    vmcb[.exitInterruptInfo] = 0
    // INT3 and INTO are reported as exceptions, RIP still at them: they are executed again.
    if let event, event.kind == .exception, event.vector == 3 || event.vector == 4 {
      return Event(kind: .software, vector: event.vector)
    }
    return event
  }

  public var instructionPointer: UInt64 {
    get { vmcb[.rip] }
    nonmutating set { vmcb[.rip] = newValue }
  }
  public var stackPointer: UInt64 {
    get { vmcb[.rsp] }
    nonmutating set { vmcb[.rsp] = newValue }
  }
  public var flags: RFLAGS {
    get { RFLAGS(rawValue: vmcb[.rflags]) }
    nonmutating set { vmcb[.rflags] = newValue.rawValue }
  }
  public var cr0: UInt64 {
    get { vmcb[.cr0] }
    nonmutating set { vmcb[.cr0] = newValue }
  }
  public var cr2: UInt64 {
    get { vmcb[.cr2] }
    nonmutating set { vmcb[.cr2] = newValue }
  }
  public var cr3: UInt64 {
    get { vmcb[.cr3] }
    nonmutating set { vmcb[.cr3] = newValue }
  }
  public var cr4: UInt64 {
    get { vmcb[.cr4] }
    nonmutating set { vmcb[.cr4] = newValue }
  }
  /// The guest's EFER; SVME, which VMRUN demands, is the monitor's own.
  public var efer: UInt64 {
    get { vmcb[.efer] & ~EFER.svmEnable.rawValue }
    nonmutating set { vmcb[.efer] = newValue | EFER.svmEnable.rawValue }
  }
  public var dr6: UInt64 {
    get { vmcb[.dr6] }
    nonmutating set { vmcb[.dr6] = newValue }
  }
  public var dr7: UInt64 {
    get { vmcb[.dr7] }
    nonmutating set { vmcb[.dr7] = newValue }
  }
  public var privilegeLevel: UInt8 { vmcb[.currentPrivilegeLevel] }
  public var codeAttributes: SegmentAttributes { vmcb[.cs].attributes }
  public subscript(_ name: SegmentName) -> Segment {
    get { vmcb[name] }
    nonmutating set {
      vmcb[name] = newValue
      if name == .ss { vmcb[.currentPrivilegeLevel] = newValue.attributes.privilegeLevel }
    }
  }
  public var gdt: DescriptorTable {
    get { vmcb.table(at: VMCB.gdtrOffset) }
    nonmutating set { vmcb.setTable(newValue, at: VMCB.gdtrOffset) }
  }
  public var idt: DescriptorTable {
    get { vmcb.table(at: VMCB.idtrOffset) }
    nonmutating set { vmcb.setTable(newValue, at: VMCB.idtrOffset) }
  }

  /// The MSRs that VMRUN, VMLOAD and VMSAVE keep in the VMCB.
  static func field(of msr: MSR) -> VMCBField<UInt64>? {
    switch msr.rawValue {
    case MSR.star.rawValue: .star
    case MSR.lstar.rawValue: .lstar
    case MSR.cstar.rawValue: .cstar
    case MSR.systemCallMask.rawValue: .systemCallMask
    case MSR.kernelGSBase.rawValue: .kernelGSBase
    case MSR.systemEnterCS.rawValue: .systemEnterCS
    case MSR.systemEnterESP.rawValue: .systemEnterESP
    case MSR.systemEnterEIP.rawValue: .systemEnterEIP
    case MSR.pageAttributeTable.rawValue: .pageAttributeTable
    case MSR.fsBase.rawValue: .base(VMCB.offset(of: .fs))
    case MSR.gsBase.rawValue: .base(VMCB.offset(of: .gs))
    default: nil
    }
  }
  public func readMSR(_ msr: MSR) -> UInt64? {
    guard let field = Self.field(of: msr) else { return nil }
    return vmcb[field]
  }
  public func writeMSR(_ msr: MSR, _ value: UInt64) -> Bool {
    guard let field = Self.field(of: msr), msr.accepts(value) else { return false }
    vmcb[field] = value
    return true
  }
  public func intercept(_ msr: MSR, reads: Bool, writes: Bool) {
    unsafe MSRBitmap.set(msrBitmap, msr.rawValue, reads: reads, writes: writes)
  }

  /// The #DB is a trap: it is delivered behind the instruction. SDM vol. 3, 18.3.1.4.
  @inline(__always)
  public func completeInstruction(next: UInt64) {
    vmcb[.rip] = next
    vmcb[.interruptShadow] = 0
    if vmcb[.rflags] & RFLAGS.trap.rawValue != 0 { raiseSingleStep() }
  }

  @inline(never)
  private func raiseSingleStep() {
    vmcb[.dr6] |= 1 << 14  // BS
    injection = Event(kind: .exception, vector: ExceptionVector.debug.rawValue)
    vmcb[.debugState].insert(.owesStep)
  }

  public var interruptShadow: Bool {
    get { vmcb[.interruptShadow] & 1 != 0 }
    nonmutating set { vmcb[.interruptShadow] = newValue ? 1 : 0 }
  }

  /// External interrupts go through V_IRQ, which waits for the guest's IF by itself; QEMU
  /// delivers those of EVENTINJ twice now and then (measured).
  public var injection: Event? {
    get {
      let virtual = vmcb[.virtualInterrupt]
      if virtual & Self.virtualIRQ != 0, !interruptWindowExiting {
        return Event(kind: .external, vector: UInt8(truncatingIfNeeded: virtual >> 32))
      }
      return EventInjection.decode(vmcb[.eventInjection])
    }
    nonmutating set {
      guard let event = newValue else {
        if injection?.kind == .nonMaskable, !hasVirtualNMI { nmiBlocked = false }
        vmcb[.eventInjection] = 0
        vmcb[.virtualInterrupt] &= ~Self.virtualInterruptBits
        return
      }
      if event.kind == .external {
        interruptWindowExiting = false
        setVirtualInterrupt(vector: event.vector)
      } else {
        vmcb[.eventInjection] = EventInjection.encode(event)
        vmcb[.debugState].remove(.owesStep)
        // V_NMI does so itself.
        if event.kind == .nonMaskable, !hasVirtualNMI { nmiBlocked = true }
      }
    }
  }

  /// The vector of the last one is still there.
  private func setVirtualInterrupt(vector: UInt8) {
    vmcb[.virtualInterrupt] =
      vmcb[.virtualInterrupt] & ~Self.virtualInterruptBits | Self.virtualIRQ
      | Self.virtualIgnoreTPR | 0xf << 16 | UInt64(vector) << 32
  }

  /// A virtual interrupt that is intercepted: the exit comes when it would be taken.
  public var interruptWindowExiting: Bool {
    get { vmcb[.intercepts1] & Intercepts1.virtualInterrupt.rawValue != 0 }
    nonmutating set {
      if newValue {
        // A waiting interrupt goes first. It is the PICs', so its EOI is an exit: the next one
        // is looked at then.
        if vmcb[.virtualInterrupt] & Self.virtualIRQ != 0 { return }
        vmcb[.intercepts1] |= Intercepts1.virtualInterrupt.rawValue
        setVirtualInterrupt(vector: 0)
      } else if interruptWindowExiting {
        vmcb[.intercepts1] &= ~Intercepts1.virtualInterrupt.rawValue
        vmcb[.virtualInterrupt] &= ~Self.virtualInterruptBits
      }
    }
  }

  public var tscOffset: UInt64 {
    get { vmcb[.tscOffset] }
    nonmutating set { vmcb[.tscOffset] = newValue }
  }

  /// V_INTR_MASKING: the interrupt flag at VMRUN decides whether an interrupt makes the guest exit, and CR8 is
  /// V_TPR. APM vol. 2, 15.21.
  static var virtualInterruptMasking: UInt64 { 1 << 24 }
  static var virtualPriority: UInt64 { 0xff }

  public var interruptExiting: Bool {
    get { vmcb[.intercepts1] & Intercepts1.interrupt.rawValue != 0 }
    nonmutating set {
      if newValue {
        vmcb[.intercepts1] |= Intercepts1.interrupt.rawValue
        vmcb[.virtualInterrupt] |= Self.virtualInterruptMasking
      } else {
        vmcb[.intercepts1] &= ~Intercepts1.interrupt.rawValue
        vmcb[.virtualInterrupt] &= ~Self.virtualInterruptMasking
        vmcb[.controlRegisterIntercepts] &= ~Self.writesOfCR8
      }
    }
  }

  /// V_TPR has the priority class only.
  public var taskPriority: UInt8 {
    get { UInt8(truncatingIfNeeded: vmcb[.virtualInterrupt] & 0xf) << 4 }
    nonmutating set {
      vmcb[.virtualInterrupt] =
        vmcb[.virtualInterrupt] & ~Self.virtualPriority | UInt64(newValue >> 4)
    }
  }

  /// The guest's writes to CR8 exit meanwhile. Also while V_IRQ is set: QEMU aborts at such a write then
  /// (measured, 10.0: an assertion of its own in tcg_handle_interrupt).
  public func awaitTaskPriority(below priorityClass: UInt8) {
    let isAwaited = priorityClass != 0 || vmcb[.virtualInterrupt] & Self.virtualIRQ != 0
    if isAwaited {
      vmcb[.controlRegisterIntercepts] |= Self.writesOfCR8
    } else {
      vmcb[.controlRegisterIntercepts] &= ~Self.writesOfCR8
    }
  }
  static var writesOfCR8: UInt32 { 1 << 24 }

  public var haltExiting: Bool {
    get { vmcb[.intercepts1] & Intercepts1.halt.rawValue != 0 }
    nonmutating set {
      if newValue {
        vmcb[.intercepts1] |= Intercepts1.halt.rawValue
      } else {
        vmcb[.intercepts1] &= ~Intercepts1.halt.rawValue
      }
    }
  }

  public func flushTranslations() { vmcb[.tlbControl] = 1 }
}
