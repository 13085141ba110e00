// SPDX-License-Identifier: Apache-2.0
import Glibc
import Subprocess

/// How the run of an emulated machine ended.
enum MachineEnding: Equatable, Sendable, CustomStringConvertible {
  /// The host's script came to its end, with this status.
  case script(status: Int)
  /// Not within the time that it was given.
  case timedOut
  /// The host's kernel gave up; its own words.
  case hostPanicked(String)
  /// The emulator failed, whatever ran inside: a signal that it did not expect.
  case emulatorKilled(signal: Int32)
  /// The emulator failed an assertion of its own.
  case emulatorAborted
  /// The machine went off before the script was over, and nothing says why.
  case poweredOff

  init(_ status: TerminationStatus, report: Report, isKnownAbort: Bool) {
    let signal = Self.signal(of: status)
    if isKnownAbort {
      self = .emulatorAborted
    } else if let signal, Self.faults.contains(signal) {
      self = .emulatorKilled(signal: signal)
    } else if status == .exited(124) || signal == SIGKILL {
      self = .timedOut
    } else if let status = report.status {
      self = .script(status: status)
    } else if let line = report.console.first(where: { $0.contains("Kernel panic") }) {
      self = .hostPanicked(line)
    } else {
      self = .poweredOff
    }
  }

  /// The emulator is started by timeout(1), which ends as its command did, or with 128 and the signal's
  /// number. After its second limit it kills with SIGKILL.
  private static func signal(of status: TerminationStatus) -> Int32? {
    switch status {
    case .signaled(let signal): return signal
    case .exited(let code): return code > 128 ? code - 128 : nil
    }
  }

  /// Signals that a program gets for its own mistake.
  private static let faults: Set = [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT]

  var isFaultOfEmulator: Bool {
    switch self {
    case .emulatorKilled, .emulatorAborted: true
    case .script, .timedOut, .hostPanicked, .poweredOff: false
    }
  }

  /// A word for programs, in result.json.
  var name: String {
    switch self {
    case .script: "script"
    case .timedOut: "timed-out"
    case .hostPanicked: "host-panicked"
    case .emulatorKilled: "emulator-killed"
    case .emulatorAborted: "emulator-aborted"
    case .poweredOff: "powered-off"
    }
  }

  var description: String {
    switch self {
    case .script(let status): "the script ended with \(status)"
    case .timedOut: "it took too long"
    case .hostPanicked(let words): "the host panicked: \(words)"
    case .emulatorKilled(let signal):
      "the emulator was killed by signal \(signal) (\(String(cString: strsignal(signal)))): a fault of its own, not of the host"
    case .emulatorAborted: "the emulator failed an assertion of its own: not a fault of the host"
    case .poweredOff: "the machine went off before the script was over: see its console.log"
    }
  }
}
