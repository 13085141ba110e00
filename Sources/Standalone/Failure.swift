// SPDX-License-Identifier: Apache-2.0
import Contract

/// Why a test failed, or was not made.
enum Failure: Error {
  case skipped(StaticString)
  case timeout(StaticString)
  /// A value is not what it should be.
  case value(StaticString, is: UInt64, expected: UInt64)
  case exits(apus_exit, is: UInt64, expected: UInt64)
  case unexpectedExit(ClientExit)
  /// A command's answer.
  case answer(StaticString, Int64)
  case unfit(reason: UInt32, detail: UInt64)
  /// A fault of the monitor itself.
  case stopped(apus_fault)
  case noGuest

  func write() {
    switch self {
    case .skipped(let reason): Console.write(reason)
    case .timeout(let what):
      Console.write("timeout: ")
      Console.write(what)
    case .value(let name, let value, let expected):
      Console.write(name)
      Self.write(value, expected)
    case .exits(let cause, let value, let expected):
      Console.write("exits for ")
      unsafe Self.write(words: apus_exit_name(cause.rawValue))
      Self.write(value, expected)
    case .unexpectedExit(let exit): exit.write()
    case .answer(let name, let answer):
      Console.write(name)
      Console.write(" answered ")
      Console.write(answer)
    case .unfit(let reason, let detail):
      Console.write("the CPU is unfit: ")
      unsafe Self.write(words: apus_unfit_words(reason))
      guard reason == APUS_UNFIT_CONTROL.rawValue else { return }
      Console.write(": ")
      unsafe Self.write(words: apus_control_words(detail))
    case .stopped(let fault):
      Console.write("the monitor stopped: vector ")
      Console.write(fault.vector)
      Console.write(" rip ")
      Console.write(hexadecimal: fault.rip)
      Console.write(" error ")
      Console.write(hexadecimal: fault.error)
      Console.write(" cr2 ")
      Console.write(hexadecimal: fault.cr2)
    case .noGuest: Console.write("there is no guest of this name")
    }
  }

  /// Words of the contract's.
  private static func write(words: UnsafePointer<CChar>?) {
    if let words = unsafe words { unsafe Console.write(terminated: words) }
  }

  private static func write(_ value: UInt64, _ expected: UInt64) {
    Console.write(" is ")
    Console.write(hexadecimal: value)
    Console.write(", expected ")
    Console.write(hexadecimal: expected)
  }
}

func expect(_ name: StaticString, _ value: UInt64, _ expected: UInt64) throws(Failure) {
  guard value == expected else { throw .value(name, is: value, expected: expected) }
}
