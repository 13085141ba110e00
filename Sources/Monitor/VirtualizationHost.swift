// SPDX-License-Identifier: Apache-2.0
import Contract
import MonitorCore

/// Why a CPU is APUS_CPU_UNFIT.
struct Refusal {
  let reason: apus_unfit
  /// Of APUS_UNFIT_CONTROL: a number of enum apus_control.
  let detail: UInt64

  init(_ reason: apus_unfit, detail: UInt64 = 0) {
    self.reason = reason
    self.detail = detail
  }
}

/// A processor's virtualisation in root mode: VT-x or SVM, chosen once when the CPU arrives.
protocol VirtualizationHost {
  associatedtype Unit: VirtualizationUnit

  static var kind: apus_vendor { get }
  /// Why it cannot be used on this CPU; nil if it can.
  static var refusal: Refusal? { get }

  /// Switches it on and off. From `enable` to `disable` NMIs are the only interrupts, and they
  /// are taken in `sleep` and where `enter` says so.
  static func enable(_ cpu: LentCPU)
  static func disable()

  /// Takes every interrupt that waits in the local APIC now.
  static func takeInterrupts()
  /// Whether an interrupt that waits makes a guest exit whose unit has `interruptExiting`. Meanwhile one may
  /// be taken in root mode too wherever NMIs are.
  static func letInterruptsExit(_ isOn: Bool)
  /// HLT until an NMI comes, or came after `apus_cpu.nmis` was `seen`.
  static func sleep(_ nmis: UnsafePointer<UInt32>, seen: UInt32)

  /// Tells a vCPU's unit what this processor can do, before it is loaded here.
  static func attach(_ unit: Unit)
}
