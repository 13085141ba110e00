// SPDX-License-Identifier: Apache-2.0
import Foundation
import Subprocess
import SystemPackage

/// The standalone door: the monitor without Linux, its tests, a line for each.
public struct StandaloneRun: Sendable {
  public var project: Project
  public var machine: StandaloneMachine
  /// The name of one test and perhaps a seed behind it, `list`, or nothing.
  public var commandLine = ""
  /// After this many seconds the machine is ended.
  public var seconds = 60
  var observation: StandaloneMachine.Observation?

  public init(project: Project, machine: StandaloneMachine) {
    self.project = project
    self.machine = machine
  }

  /// What the machine said, and how long it took.
  public struct Outcome: Sendable {
    public var lines: [String]
    public var duration: Duration
    /// What the run left.
    var files: StandaloneMachine.Files?
  }

  /// Runs it to its end; each line goes to `show` as it comes.
  public func run(_ show: @escaping @Sendable (String) -> Void) async throws -> Outcome {
    let directory = try RunDirectory(
      firstFreeOf: project.results(of: "standalone-\(machine.rawValue)"))
    let files = StandaloneMachine.Files(
      project: project, machine: machine, directory: directory.path)
    let command = try machine.prepare(
      files, commandLine: commandLine, seconds: seconds, observation: observation)
    try Lab.Files.write(command.line + "\n", to: files.command)
    let start = ContinuousClock.now
    let watcher = Task { try await watch(files.console, show) }
    try await execute(command, files)
    let duration = ContinuousClock.now - start
    watcher.cancel()
    return Outcome(lines: try await watcher.value, duration: duration, files: files)
  }

  /// What Bochs' debugger and QEMU say is of no use to anybody but when they count. Bochs' own log
  /// is a file.
  private func execute(_ command: Command, _ files: StandaloneMachine.Files) async throws {
    guard observation != nil, machine == .intel else {
      _ = try await Subprocess.run(
        command.executable, arguments: Arguments(command.arguments), input: .none,
        output: .discarded, error: .discarded)
      return
    }
    let trace = try FileDescriptor.open(
      FilePath(files.trace), .writeOnly, options: [.create, .truncate],
      permissions: [.ownerReadWrite, .groupRead, .otherRead])
    _ = try await Subprocess.run(
      command.executable, arguments: Arguments(command.arguments), input: .none,
      output: .fileDescriptor(trace, closeAfterSpawningProcess: true), error: .discarded)
  }

  private func watch(
    _ path: String, _ show: @Sendable (String) -> Void
  ) async throws -> [String] {
    var console = try FileTail(creating: path)
    var lines: [String] = []
    while true {
      let last = Task.isCancelled
      for line in try console.newLines() {
        lines.append(line)
        show(line)
      }
      if last { return lines }
      try? await Task.sleep(for: .milliseconds(20))
    }
  }
}

extension StandaloneRun.Outcome {
  /// The last line says how many tests passed, failed and were skipped; without it the machine did
  /// not reach its end.
  public var summary: String? { lines.last.flatMap { $0.hasPrefix("standalone: ") ? $0 : nil } }

  /// The instructions of each exit, of those at `sites` one by one. They can be read once: a trace
  /// may have hundreds of megabytes.
  func exits(following sites: Set<UInt64> = []) throws -> ExitCollector {
    guard let files else { throw LabError.machine("nothing was traced") }
    let trace = try Data(contentsOf: URL(fileURLWithPath: files.trace), options: .alwaysMapped)
    var exits = ExitCollector(following: sites)
    switch files.machine {
    case .amd: CountingPlugin.read(trace: trace, into: &exits)
    case .intel: BochsTrace.read(trace, into: &exits)
    }
    try Lab.Files.remove(files.trace)
    return exits
  }

  /// Every test passed, or was skipped with a reason.
  public var passed: Bool {
    summary?.contains(" 0 failed") == true && summary?.contains(" 0 ok") == false
      && !lines.contains { $0.hasPrefix("FAILED ") }
  }
}
