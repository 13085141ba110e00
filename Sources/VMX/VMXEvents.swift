// SPDX-License-Identifier: Apache-2.0
import MonitorCore
import X86

/// What the next entry delivers, and what the guest can take.
extension VMXUnit {
  public var interruptShadow: Bool {
    get { vmcs[.interruptibility] & Interruptibility.shadow != 0 }
    nonmutating set {
      var state = vmcs[.interruptibility] & ~Interruptibility.shadow
      if newValue {
        // Only STI itself sets IF; under the shadow of MOV SS the guest has not ended in HLT.
        state |=
          flags.contains(.interruptEnable) ? Interruptibility.bySTI : Interruptibility.byMOVSS
        vmcs[.activity] = ActivityState.active
      }
      vmcs[.interruptibility] = state
    }
  }

  /// VM entry clears the valid bit once the event is delivered. SDM vol. 3, 25.8.3.
  public var injection: Event? {
    get { EventInjection.decode(vmcs[.entryInterruption], errorCode: vmcs[.entryErrorCode]) }
    nonmutating set {
      guard let event = newValue else {
        vmcs[.entryInterruption] = 0
        return
      }
      let isProtected = CR0(rawValue: vmcs[.cr0]).contains(.protectionEnable)
      let fields = EventInjection.encode(event, isProtected: isProtected)
      vmcs[.entryInterruption] = fields.information
      vmcs[.entryErrorCode] = fields.errorCode
      // One whose delivery was cut short blocks itself already.
      if event.kind == .nonMaskable { nmiBlocked = false }
      // A halted guest can only be woken by interrupts. SDM vol. 3, 27.3.1.5.
      if event.kind == .exception { vmcs[.activity] = ActivityState.active }
    }
  }

  /// A window also ends HLT, but not on Bochs (measured): there HLT exits meanwhile.
  public var interruptWindowExiting: Bool {
    get { isOn(.interruptWindowExiting) }
    nonmutating set {
      set(.interruptWindowExiting, newValue)
      set(.haltExiting, newValue || state.haltsExit)
    }
  }
  /// The control is off as long as there is none.
  public var tscOffset: UInt64 {
    get { isOn(.tscOffsetting) ? vmcs[.tscOffset] : 0 }
    nonmutating set {
      vmcs[.tscOffset] = newValue
      set(.tscOffsetting, newValue != 0)
    }
  }
  /// The TPR shadow comes and goes with it: CR8 is a byte of the virtual-APIC page then. SDM vol. 3, 30.3.
  public var interruptExiting: Bool {
    get { vmcs[.pinControls] & PinControls.externalInterruptExiting.rawValue != 0 }
    nonmutating set {
      let others = vmcs[.pinControls] & ~PinControls.externalInterruptExiting.rawValue
      vmcs[.pinControls] =
        newValue ? others | PinControls.externalInterruptExiting.rawValue : others
      set(.tprShadow, newValue)
      vmcs[.virtualAPICAddress] = physicalVirtualAPIC
      state.priorityThreshold = 0
      vmcs[.taskPriorityThreshold] = 0
    }
  }
  public var taskPriority: UInt8 {
    get { unsafe virtualAPIC.load(fromByteOffset: 0x80, as: UInt8.self) }
    nonmutating set {
      unsafe virtualAPIC.storeBytes(of: newValue, toByteOffset: 0x80, as: UInt8.self)
    }
  }
  public func awaitTaskPriority(below priorityClass: UInt8) {
    guard priorityClass != state.priorityThreshold else { return }
    state.priorityThreshold = priorityClass
    vmcs[.taskPriorityThreshold] = UInt32(priorityClass)
  }
  public var nmiWindowExiting: Bool {
    get { isOn(.nmiWindowExiting) }
    nonmutating set { set(.nmiWindowExiting, newValue) }
  }
  public var debugRegisterExiting: Bool {
    get { isOn(.debugRegisterExiting) }
    nonmutating set { set(.debugRegisterExiting, newValue) }
  }
  public var breakpointExiting: Bool {
    get { vmcs[.exceptionBitmap] & 1 << 3 != 0 }
    nonmutating set {
      vmcs[.exceptionBitmap] = InterceptedExceptions.mask | (newValue ? 1 << 3 : 0)
    }
  }
  public var owesSingleStep: Bool {
    vmcs[.pendingDebugExceptions] & DebugException.pendingSingleStep != 0
  }
  public func forgetSingleStep() {
    vmcs[.pendingDebugExceptions] &= ~DebugException.pendingSingleStep
  }
  public var haltExiting: Bool {
    get { state.haltsExit }
    nonmutating set {
      state.haltsExit = newValue
      set(.haltExiting, newValue || interruptWindowExiting)
    }
  }

  /// The guest's HLT, done for it while it has to be looked at when it can take an interrupt: with IF
  /// set that is now.
  func finishHalt() {
    let next = vmcs[.rip] &+ exitInstructionLength
    instructionPointer = next
    interruptShadow = false
    if !flags.contains(.interruptEnable) { vmcs[.activity] = ActivityState.halted }
  }

  /// With virtual NMIs: from an injected NMI to the guest's IRET.
  public var nmiBlocked: Bool {
    get { vmcs[.interruptibility] & Interruptibility.byNMI != 0 }
    nonmutating set {
      let others = vmcs[.interruptibility] & ~Interruptibility.byNMI
      vmcs[.interruptibility] = newValue ? others | Interruptibility.byNMI : others
    }
  }

  /// An entry with an NMI fails under the shadow of MOV SS, and on some processors of STI. SDM
  /// vol. 3, 27.3.1.5.
  public var acceptsNMI: Bool {
    vmcs[.interruptibility] & (Interruptibility.byNMI | Interruptibility.shadow) == 0
  }

  private func isOn(_ control: PrimaryControls) -> Bool {
    vmcs[.primaryControls] & control.rawValue != 0
  }
  private func set(_ control: PrimaryControls, _ value: Bool) {
    let old = vmcs[.primaryControls]
    let new = value ? old | control.rawValue : old & ~control.rawValue
    if new != old { vmcs[.primaryControls] = new }
  }
}
