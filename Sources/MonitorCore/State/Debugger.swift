// SPDX-License-Identifier: Apache-2.0
import Contract

/// What KVM_SET_GUEST_DEBUG switches on. linux/kvm.h and asm/kvm.h: KVM_GUESTDBG_*.
struct DebugControl: OptionSet {
  let rawValue: UInt32

  static var enable: Self { Self(rawValue: UInt32(KVM_GUESTDBG_ENABLE)) }
  static var singleStep: Self { Self(rawValue: UInt32(KVM_GUESTDBG_SINGLESTEP)) }
  /// INT3 belongs to the debugger.
  static var softwareBreakpoints: Self { Self(rawValue: UInt32(KVM_GUESTDBG_USE_SW_BP)) }
  /// DR0 to DR3 and DR7 are the debugger's; the guest's own have no effect meanwhile.
  static var hardwareBreakpoints: Self { Self(rawValue: UInt32(KVM_GUESTDBG_USE_HW_BP)) }
  static var injectDebug: Self { Self(rawValue: UInt32(KVM_GUESTDBG_INJECT_DB)) }
  static var injectBreakpoint: Self { Self(rawValue: UInt32(KVM_GUESTDBG_INJECT_BP)) }
  /// No interrupt and no NMI reaches the guest.
  static var blockInterrupts: Self { Self(rawValue: UInt32(KVM_GUESTDBG_BLOCKIRQ)) }
}

/// A debugger in the client, and what of the guest's is put aside for it.
struct Debugger {
  /// Empty: there is none.
  var control: DebugControl = []

  /// The guest's debug registers while the processor has the debugger's.
  var guestAddresses: InlineArray<4, UInt64> = InlineArray(repeating: 0)
  var guestDR6: UInt64 = 0
  var guestDR7: UInt64 = 0

  /// Between `beginDebugging` and `endDebugging` the processor has the debugger's TF and task priority.
  var isEntered = false
  var guestTraps = false
  var guestPriority: UInt32 = 0
  var statusBefore: UInt64 = 0
  /// The event in hand stands for an instruction that RIP is behind already.
  var isPastInstruction = false

  /// #DB belongs to the debugger.
  @inline(__always) var takesDebugExceptions: Bool {
    !control.isDisjoint(with: [.singleStep, .hardwareBreakpoints])
  }
}
