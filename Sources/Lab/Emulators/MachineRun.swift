// SPDX-License-Identifier: Apache-2.0
import Foundation
import Subprocess
import Synchronization
import SystemPackage

/// One run of an emulated machine, from power-on to power-off, with its logs in a directory.
struct MachineRun: Sendable {
  var machine: HostMachine
  var project: Project
  var kernel: Kernel
  var initramfs: [UInt8]
  var directory: String
  /// After this many seconds the machine is ended.
  var seconds: Int
  var terminal: Terminal
  /// Where the host is to panic: says when enough of its guest was seen.
  var afterPanic: PanicWatch?

  /// How a run ended.
  struct Outcome: Sendable {
    var report: Report
    var ending: MachineEnding
    var emulatorMessage: String
    var duration: Duration
  }

  private var files: HostMachine.Files {
    .init(kernel: kernel.image, directory: directory, hasThirdSerial: afterPanic != nil)
  }

  /// How often a run is tried. Random bytes that a guest executes make QEMU's optimiser fail (10.0,
  /// SIGSEGV), and so does nested load now and then.
  static let attempts = 5

  /// Runs it; again if the emulator itself fails: that says nothing about what ran inside.
  func run() async throws -> Outcome {
    for attempt in 1..<Self.attempts {
      let outcome = try await runOnce()
      guard outcome.ending.isFaultOfEmulator else { return outcome }
      terminal.step("\(outcome.ending), attempt \(attempt) of \(Self.attempts): again")
    }
    return try await runOnce()
  }

  /// Runs it with its console on this terminal.
  func runInteractively() async throws {
    try Lab.Files.makeDirectory(directory)
    try Lab.Files.write(initramfs, to: files.initramfs)
    let command = try machine.prepare(
      files, in: project, seconds: seconds, interactive: true)
    _ = try await Subprocess.run(
      command.executable, arguments: Arguments(command.arguments),
      input: .currentStandardInput, output: .currentStandardOutput, error: .currentStandardError)
  }

  /// Runs it, however the emulator ends.
  func runOnce() async throws -> Outcome {
    try Lab.Files.makeDirectory(directory)
    try Lab.Files.write(initramfs, to: files.initramfs)
    let command = try machine.prepare(
      files, in: project, seconds: seconds, interactive: false)
    let start = ContinuousClock.now
    try Lab.Files.write(command.line + "\n", to: directory + "/command")
    let log = try FileDescriptor.open(
      FilePath(files.emulatorOutput), .writeOnly, options: [.create, .truncate],
      permissions: [.ownerReadWrite, .groupRead, .otherRead])
    let emulator = Mutex<pid_t?>(nil)
    let watcher = Task {
      try await watch { emulator.withLock { if let process = $0 { _ = kill(process, SIGTERM) } } }
    }
    // The watcher makes the files; QEMU truncates them again, which does no harm.
    let result = try await Subprocess.run(
      command.executable, arguments: Arguments(command.arguments),
      input: .none,
      output: .fileDescriptor(log, closeAfterSpawningProcess: false),
      error: .fileDescriptor(log, closeAfterSpawningProcess: true)
    ) { execution in
      emulator.withLock { $0 = pid_t(execution.processIdentifier.value) }
      await favour(childOf: execution.processIdentifier.value)
    }
    emulator.withLock { $0 = nil }
    watcher.cancel()
    let report = try await watcher.value
    let message = try emulatorMessage()
    return Outcome(
      report: report,
      ending: MachineEnding(
        result.terminationStatus, report: report, isKnownAbort: Self.isKnownAbort(message)),
      emulatorMessage: message, duration: ContinuousClock.now - start)
  }

  /// Waits for QEMU's threads, at most a second, and prefers the one of `favouredCPU`.
  private func favour(childOf parent: Int32) async {
    guard let favoured = machine.favouredCPU else { return }
    for _ in 1...20 {
      if EmulatorThreads.favour(favoured, of: machine.cpus, childOf: parent) { return }
      try? await Task.sleep(for: .milliseconds(50))
    }
    terminal.step("QEMU's threads were not found: CPU \(favoured) is not preferred")
  }

  /// What the emulator had to say that it does not say every time.
  private func emulatorMessage() throws -> String {
    switch machine.vendor {
    case .amd: Self.withoutKnownWarnings(try Lab.Files.readText(files.emulatorOutput))
    case .intel: try BochsHost(machine: machine, files: files).message()
    }
  }

  /// The assertion that QEMU 10.0 fails now and then under nested load.
  static func isKnownAbort(_ message: String) -> Bool {
    message.contains("tcg_handle_interrupt") && message.contains("bql_locked")
  }

  /// QEMU says for each emulated CPU what it does not emulate, the same six lines every time, and
  /// when the lab has ended it.
  static func withoutKnownWarnings(_ message: String) -> String {
    message.split(separator: "\n")
      .filter {
        !$0.contains("TCG doesn't support requested feature")
          && !$0.contains("terminating on signal 15")
      }
      .joined(separator: "\n")
  }

  /// Shows the serial ports until cancelled and returns what the second one said. Calls `end` when
  /// enough was seen of a machine that does not end by itself.
  private func watch(end: @Sendable () -> Void) async throws -> Report {
    var afterPanic = afterPanic
    var third: FileTail? = nil
    if files.hasThirdSerial { third = try FileTail(creating: files.thirdSerial) }
    var console = try FileTail(creating: files.console)
    var reportLines = try FileTail(creating: files.report)
    var report = Report()
    while true {
      let last = Task.isCancelled
      for line in try third?.newLines() ?? [] where afterPanic?.guestWrote(line) == true {
        terminal.console(line)
      }
      for line in try console.newLines() {
        terminal.console(line)
        afterPanic?.hostWrote(line)
        report.console.append(line)
      }
      for line in try reportLines.newLines() {
        report.add(line)
        if let shown = Self.progress(line) { terminal.innerStep(shown) }
      }
      if last {
        for line in afterPanic?.report ?? [] {
          report.add(line)
          if let shown = Self.progress(line) { terminal.innerStep(shown) }
        }
        return report
      }
      if afterPanic?.isOver == true { end() }
      try? await Task.sleep(for: .milliseconds(50))
    }
  }

  /// What of a report is worth a line on the terminal.
  private static func progress(_ line: String) -> String? {
    if line.hasPrefix("step ") { return String(line.dropFirst("step ".count)) }
    if line.hasPrefix("pass ") { return "passed: " + line.dropFirst("pass ".count) }
    if line.hasPrefix("fail ") { return "FAILED: " + line.dropFirst("fail ".count) }
    return nil
  }
}
