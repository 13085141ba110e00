// SPDX-License-Identifier: Apache-2.0
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
  /// Whether the instructions of each exit are counted; for the test `costs`.
  var countsExits = false

  public init(project: Project, machine: StandaloneMachine) {
    self.project = project
    self.machine = machine
  }

  /// What the machine said, and how long it took.
  public struct Outcome: Sendable {
    public var lines: [String]
    public var duration: Duration
    /// If they were counted.
    var exits: ExitCount.BySite = [:]
  }

  /// Runs it to its end; each line goes to `show` as it comes.
  public func run(_ show: @escaping @Sendable (String) -> Void) async throws -> Outcome {
    let directory = try RunDirectory(
      firstFreeOf: project.results(of: "standalone-\(machine.rawValue)"))
    let files = StandaloneMachine.Files(project: project, directory: directory.path)
    let command = try machine.prepare(
      files, commandLine: commandLine, seconds: seconds, countsExits: countsExits)
    try Lab.Files.write(command.line + "\n", to: files.command)
    let start = ContinuousClock.now
    let watcher = Task { try await watch(files.console, show) }
    try await execute(command, files)
    let duration = ContinuousClock.now - start
    watcher.cancel()
    var outcome = Outcome(lines: try await watcher.value, duration: duration)
    if countsExits {
      outcome.exits = try machine.exits(files)
      // A trace has hundreds of megabytes.
      try Lab.Files.remove(files.exits)
    }
    return outcome
  }

  /// What Bochs' debugger and QEMU say is of no use to anybody but when they count. Bochs' own log
  /// is a file.
  private func execute(_ command: Command, _ files: StandaloneMachine.Files) async throws {
    guard countsExits, machine == .intel else {
      _ = try await Subprocess.run(
        command.executable, arguments: Arguments(command.arguments), input: .none,
        output: .discarded, error: .discarded)
      return
    }
    let trace = try FileDescriptor.open(
      FilePath(files.exits), .writeOnly, options: [.create, .truncate],
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

  /// Every test passed, or was skipped with a reason.
  public var passed: Bool {
    summary?.contains(" 0 failed") == true && summary?.contains(" 0 ok") == false
      && !lines.contains { $0.hasPrefix("FAILED ") }
  }
}
