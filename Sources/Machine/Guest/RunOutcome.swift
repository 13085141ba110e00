// SPDX-License-Identifier: Apache-2.0

/// How a run ended.
public enum RunOutcome: Equatable, Sendable, CustomStringConvertible {
  /// The guest switched its machine off.
  case poweredOff
  /// The guest asked for a reset, which ends a run.
  case reset
  /// The guest did what no machine survives.
  case guestFailed(GuestFailure)
  /// The host or its hypervisor failed the guest.
  case hostFailed(String)
  /// The user ended the run at the console.
  case quit
  /// A signal ended the run: its number.
  case signal(Int32)

  /// A word for programs.
  public var name: String {
    switch self {
    case .poweredOff: "powered-off"
    case .reset: "reset"
    case .guestFailed: "guest-failed"
    case .hostFailed: "host-failed"
    case .quit: "quit"
    case .signal: "signal"
    }
  }

  public var description: String {
    switch self {
    case .poweredOff: "the guest powered off"
    case .reset: "the guest asked for a reset"
    case .guestFailed(let failure): "the guest ended itself: \(failure.reason)"
    case .hostFailed(let reason): "the host failed: \(reason)"
    case .quit: "ended at the console"
    case .signal(let number): "ended by signal \(number)"
    }
  }

  /// What a command that ran the guest exits with.
  public var exitStatus: Int32 {
    switch self {
    case .poweredOff, .quit: 0
    case .hostFailed: 1
    case .guestFailed: 2
    case .reset: 3
    case .signal(let number): 128 + number
    }
  }

  public var failure: GuestFailure? {
    if case .guestFailed(let failure) = self { failure } else { nil }
  }
}
