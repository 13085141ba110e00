// SPDX-License-Identifier: Apache-2.0
import Contract

/// struct kvm_run after KVM_RUN: what is asked of the client.
enum ClientExit {
  case port(UInt16, size: UInt8, isInput: Bool, data: UInt64)
  case memory(UInt64, length: UInt32, isWrite: Bool, data: UInt64)
  case shutdown
  case failedEntry(UInt64)
  case unknown(UInt64)
  case interrupted
  case debug(pointer: UInt64, exception: UInt32, status: UInt64)
  case other(UInt32)

  func write() {
    Console.write("the guest left: ")
    switch self {
    case .port(let port, let size, let isInput, let data):
      Console.write(isInput ? "in" : "out")
      Self.write(" port", UInt64(port))
      Self.write(" size", UInt64(size))
      Self.write(" data", data)
    case .memory(let address, let length, let isWrite, let data):
      Console.write(isWrite ? "write" : "read")
      Self.write(" at", address)
      Self.write(" length", UInt64(length))
      Self.write(" data", data)
    case .shutdown: Console.write("triple fault")
    case .failedEntry(let code):
      Self.write("entry refused, code", code)
      Console.write(": ")
      unsafe Console.write(terminated: apus_entry_failure_words(code))
    case .unknown(let code): Self.write("unknown exit, code", code)
    case .debug(let pointer, let exception, let status):
      Console.write("debug")
      Self.write(" at", pointer)
      Self.write(" exception", UInt64(exception))
      Self.write(" DR6", status)
    case .interrupted: Console.write("interrupted")
    case .other(let reason): Self.write("reason", UInt64(reason))
    }
  }

  private static func write(_ name: StaticString, _ value: UInt64) {
    Console.write(name)
    Console.write(" ")
    Console.write(hexadecimal: value)
  }
}
