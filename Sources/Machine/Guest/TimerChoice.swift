// SPDX-License-Identifier: Apache-2.0
import Contract

/// Who keeps the timer of a guest's local APIC: enum apus_timer_policy.
public enum TimerChoice: String, CaseIterable, Codable, Sendable {
  /// The guest has the lent CPU's local APIC itself.
  case direct
  /// The local APIC is emulated, and the lent CPU's timer rings in the monitor.
  case monitor
  /// The same; the VMX-preemption timer ends the guest's run at the deadline.
  case preemption

  var policy: apus_timer_policy {
    switch self {
    case .direct: APUS_POLICY_DIRECT
    case .monitor: APUS_POLICY_MONITOR
    case .preemption: APUS_POLICY_PREEMPTION
    }
  }
}
