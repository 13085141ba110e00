// SPDX-License-Identifier: Apache-2.0

/// The VMX-preemption timer: while the guest runs, halted or not, it counts down by one whenever a
/// bit of the TSC changes, and at 0 the guest exits. SDM vol. 3, 26.5.1.
public enum PreemptionTimer {
  /// The value with which the exit does not come before `deadline`. What does not fit into 32 bits
  /// takes more than one exit.
  public static func value(until deadline: UInt64, now: UInt64, shift: UInt8) -> UInt32 {
    guard deadline > now else { return 0 }
    let ticks = deadline - now
    let units = ticks >> UInt64(shift)
    // How far the TSC is within a unit is not known.
    let whole = shift == 0 ? units : units + (units << UInt64(shift) == ticks ? 1 : 2)
    return UInt32(clamping: whole)
  }

  /// Processors whose timer does not count at the rate that they say, by the signature in
  /// CPUID.1:EAX. Intel's specification updates 320767, 320836, 321324, 321333, 322166, 322373,
  /// 322814, 322911, 323056, 323344.
  public static func isBroken(signature: UInt32) -> Bool {
    // Reserved bits.
    switch signature & ~(0x3 << 14 | 0xf << 28) {
    case 0x206e6, 0x20652, 0x20655, 0x106e5, 0x106a0, 0x106a1, 0x106a4, 0x106a5, 0x306a8: true
    default: false
    }
  }
}

extension VMXUnit {
  public var hasTimer: Bool { capabilities.hasPreemptionTimer }

  /// The control stays on once it was used: to change a pin control costs hundreds of cycles at the
  /// next entry.
  public var deadline: UInt64? {
    get { state.deadline == 0 ? nil : state.deadline }
    nonmutating set {
      state.deadline = newValue ?? 0
      if newValue == nil {
        // Exits do not save what is left of it (SDM vol. 3, 25.7.1): this counts for every entry.
        if state.isTimerOn { vmcs[.preemptionTimer] = .max }
        return
      }
      guard !state.isTimerOn else { return }
      state.isTimerOn = true
      vmcs[.pinControls] |= PinControls.preemptionTimer.rawValue
    }
  }

  func loadTimer() {
    vmcs[.preemptionTimer] = PreemptionTimer.value(
      until: state.deadline, now: instructions.timestamp(),
      shift: capabilities.preemptionTimerShift)
  }
}
