// SPDX-License-Identifier: Apache-2.0
import StandaloneEntry

/// struct hvm_start_info: the monitor's file is the first module; the command line names the
/// one test to run, or `list`. A number after the test's name is the first seed of its random
/// operations.
@safe struct BootInformation {
  let monitor: UInt64
  private let commandLine: Block

  init(_ information: UnsafePointer<hvm_start_info>) {
    let information = unsafe information.pointee
    let modules = Block(
      address: information.modules, size: information.module_count == 0 ? 0 : 32)
    monitor = modules.size == 0 ? 0 : modules.load(UInt64.self, at: 0)
    commandLine = Block(
      address: information.command_line, size: information.command_line == 0 ? 0 : 256)
  }

  private func byte(_ index: Int) -> UInt8 {
    index < commandLine.size ? commandLine.load(UInt8.self, at: index) : 0
  }

  /// Whether the command line is empty, or names this test.
  func asks(for test: Test) -> Bool {
    if isEmpty { return !test.byRequest }
    let prefix = test.prefix
    return begins(prefix, at: 0) && isWord(test.name, at: prefix.utf8CodeUnitCount)
  }

  var isEmpty: Bool { byte(0) == 0 }

  /// Whether the first word is this one.
  func isWord(_ name: StaticString, at start: Int = 0) -> Bool {
    let next = byte(start + name.utf8CodeUnitCount)
    return begins(name, at: start) && (next == 0 || next == UInt8(ascii: " "))
  }
  private func begins(_ name: StaticString, at start: Int) -> Bool {
    for index in 0..<name.utf8CodeUnitCount where byte(start + index) != name.byte(index) {
      return false
    }
    return true
  }

  /// The second word; 1 if there is none.
  var seed: UInt64 {
    var index = 0
    while byte(index) != 0, byte(index) != UInt8(ascii: " ") { index += 1 }
    guard byte(index) != 0 else { return 1 }
    var number: UInt64 = 0
    while true {
      index += 1
      let digit = byte(index) &- UInt8(ascii: "0")
      guard digit < 10 else { return number }
      number = number &* 10 &+ UInt64(digit)
    }
  }
}
