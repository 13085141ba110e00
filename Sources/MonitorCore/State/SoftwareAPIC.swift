// SPDX-License-Identifier: Apache-2.0
import X86

/// A local APIC's registers as memory: of a vCPU that is on no CPU, and of one whose APIC is emulated,
/// which then has no others. What it does follows SDM vol. 3, 11.8.
public struct SoftwareAPIC: Sendable {
  public var taskPriority: UInt32 = 0
  public var spuriousVector: UInt32 = 0xff
  public var lvtTimer = APICRegister.lvtMasked
  public var lvtError = APICRegister.lvtMasked
  public var timerInitialCount: UInt32 = 0
  public var timerDivide: UInt32 = 0
  /// Of the real TSC.
  public var tscDeadline: UInt64 = 0
  /// With `TimerPolicy.preemption`: when the timer rings, a value of the CPU's TSC (0: it is not armed), and
  /// how many ticks later again (0: it does not).
  public var ringsAt: UInt64 = 0
  public var ringsEvery: UInt64 = 0
  /// IRR.
  public var requests = VectorSet()
  /// ISR.
  public var service = VectorSet()
  /// ESR as it was last latched, and what has come since.
  public var errorStatus: UInt32 = 0
  public var errors: UInt32 = 0
  public init() {}

  /// What the timer's counter is divided by. SDM vol. 3, figure 11-10.
  public var divisor: UInt64 { 1 << UInt64(((timerDivide >> 1 & 4 | timerDivide & 3) + 1) & 7) }
  var timerMode: TimerMode { TimerMode(rawValue: UInt8(lvtTimer >> 17 & 3)) ?? .reserved }

  public var isEnabled: Bool { spuriousVector & APICRegister.softwareEnable != 0 }

  /// PPR: what the guest is busy with, and what it holds off. SDM vol. 3, 11.8.3.1.
  public mutating func processorPriority(_ taskPriority: UInt32) -> UInt32 {
    let served = UInt32(service.highest ?? 0)
    return taskPriority >> 4 >= served >> 4 ? taskPriority : served & 0xf0
  }

  /// The requested vector with the highest priority, if nothing in service is of its class or above. TPR
  /// may still hold it off.
  public mutating func next() -> UInt8? {
    guard let vector = requests.highest, vector >> 4 > (service.highest ?? 0) >> 4 else {
      return nil
    }
    return vector
  }

  /// Delivers a vector: its request is over, its service begins.
  public mutating func acknowledge(_ vector: UInt8) {
    requests.remove(vector)
    service.insert(vector)
  }
  /// The guest has not seen it after all.
  public mutating func withdraw(_ vector: UInt8) {
    service.remove(vector)
    requests.insert(vector)
  }

  /// EOI: the vector whose service has ended; nil: none was in service.
  public mutating func endOfInterrupt() -> UInt8? {
    guard let vector = service.highest else { return nil }
    service.remove(vector)
    return vector
  }
}

/// Bits 17 and 18 of the timer's LVT entry. SDM vol. 3, table 11-2.
enum TimerMode: UInt8 { case once, periodic, deadline, reserved }

/// Bits of the error status register. SDM vol. 3, figure 11-9.
public enum APICError {
  static var sentIllegalVector: UInt32 { 1 << 5 }
  static var receivedIllegalVector: UInt32 { 1 << 6 }
  static var illegalRegister: UInt32 { 1 << 7 }
}

/// Who keeps the timer of a guest's local APIC: enum apus_timer_policy.
public enum TimerPolicy: UInt8, Sendable {
  /// The guest has the lent CPU's local APIC, timer and all: it exits for none of it.
  case direct = 0
  /// The APIC is emulated. Its timer is the lent CPU's, which rings in root mode.
  case monitor = 1
  /// The APIC is emulated. The VMX-preemption timer ends the guest's run at the deadline.
  case preemption = 2
}
