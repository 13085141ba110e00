// SPDX-License-Identifier: Apache-2.0
import StandaloneEntry

/// struct hvm_start_info: the monitor's file is the first module; the command line names the
/// one test to run, or `list`.
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
  func asks(for test: Test) -> Bool { isEmpty ? !test.byRequest : isWord(test.name) }

  var isEmpty: Bool { byte(0) == 0 }

  func isWord(_ name: StaticString) -> Bool {
    for index in 0..<name.utf8CodeUnitCount where byte(index) != name.byte(index) { return false }
    return byte(name.utf8CodeUnitCount) == 0
  }
}
