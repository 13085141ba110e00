// SPDX-License-Identifier: Apache-2.0

/// What can go wrong outside the emulated machine, in words for the person at the terminal.
public enum LabError: Error, Equatable {
  case commandFailed(command: String, status: String, message: String)
  case notBuilt(what: String, path: String, remedy: String)
  case notFound(path: String)
  case notInstalled(packages: [String])
  case noSource(suite: String)
  case noSuchModule(String)
  case noSuchScenario(String, known: [String])
  case malformed(file: String, reason: String)
  case machine(String)
}

extension LabError: CustomStringConvertible {
  public var description: String {
    switch self {
    case .commandFailed(let command, let status, let message):
      "`\(command)` ended with \(status)" + (message.isEmpty ? "" : ":\n\(message)")
    case .notBuilt(let what, let path, let remedy):
      "\(what) is not built (\(path) does not exist): run `\(remedy)`"
    case .notFound(let path):
      "\(path) does not exist"
    case .notInstalled(let packages):
      "not installed: \(packages.joined(separator: ", ")); run `make setup`"
    case .noSource(let suite):
      "no apt source of this machine names the suite \(suite) with a component main, "
        + "so its mirror cannot be told; add \(suite)-backports to the sources by hand"
    case .noSuchModule(let name):
      "the kernel has no module named \(name)"
    case .noSuchScenario(let name, let known):
      "no scenario is named \(name); there are: \(known.joined(separator: ", "))"
    case .malformed(let file, let reason):
      "\(file): \(reason)"
    case .machine(let reason):
      reason
    }
  }
}
