// SPDX-License-Identifier: Apache-2.0
import Foundation
import Subprocess
import SystemPackage

/// A program of the developer's machine with its arguments.
public struct Command: Sendable, Equatable {
  public var name: String
  public var arguments: [String]

  public init(_ name: String, _ arguments: [String] = []) {
    self.name = name
    self.arguments = arguments
  }

  /// The same as root, by sudo where that is another user.
  static func ofRoot(_ name: String, _ arguments: [String]) -> Command {
    geteuid() == 0 ? Command(name, arguments) : Command("sudo", [name] + arguments)
  }

  /// As one would type it.
  public var line: String { ([name] + arguments).joined(separator: " ") }

  /// Runs it to its end and returns what it wrote to standard output.
  public func output() async throws -> String {
    let result = try await run(
      executable, arguments: Arguments(arguments),
      output: .string(limit: 64 << 20), error: .string(limit: 1 << 20))
    guard result.terminationStatus.isSuccess else {
      throw failure(result.terminationStatus, result.standardError)
    }
    return result.standardOutput
  }

  /// Runs it to its end; what it prints goes to the terminal.
  public func passThrough() async throws {
    let result = try await run(
      executable, arguments: Arguments(arguments),
      output: .currentStandardOutput, error: .currentStandardError)
    guard result.terminationStatus.isSuccess else { throw failure(result.terminationStatus, "") }
  }

  var executable: Executable { name.contains("/") ? .path(FilePath(name)) : .name(name) }

  private func failure(_ status: TerminationStatus, _ message: String) -> LabError {
    .commandFailed(command: line, status: "\(status)", message: message)
  }
}
