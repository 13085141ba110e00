// SPDX-License-Identifier: Apache-2.0

/// The bare machines in which the monitor runs without Linux: `make standalone` makes what
/// they boot.
public enum StandaloneMachine: String, Sendable, CaseIterable {
  /// QEMU with SVM.
  case amd
  /// Bochs with VT-x.
  case intel

  static let cpus = 3
  static let megabytes = 64

  /// The files of a run.
  struct Files: Sendable {
    var project: Project
    var directory: String

    var console: String { directory + "/console.log" }
    var emulatorLog: String { directory + "/emulator.log" }
    var command: String { directory + "/command" }
    var configuration: String { directory + "/bochsrc" }
    var debuggerCommands: String { directory + "/debugger" }
    var commandLine: String { directory + "/commandline" }

    var image: String { project.root + "/build/standalone" }
    var flatImage: String { image + ".flat" }
    var rom: String { image + ".rom" }

    /// Bochs puts no more than this of one file into memory, and no more than four files.
    static let pieceSize = 128 << 10
    func monitorPiece(_ number: Int) -> String { directory + "/monitor.\(number)" }
  }

  /// Writes what the emulator reads, and says how to run it for at most `seconds`.
  func prepare(_ files: Files, commandLine: String, seconds: Int) throws -> Command {
    for path in [files.image, files.flatImage, files.rom] where !Lab.Files.exists(path) {
      throw LabError.notBuilt(
        what: "the standalone image", path: path, remedy: "make standalone")
    }
    guard Lab.Files.exists(files.project.monitor) else {
      throw LabError.notBuilt(
        what: "the monitor", path: files.project.monitor, remedy: "make monitor")
    }
    let bound = ["--kill-after=5", "\(seconds)"]
    switch self {
    case .amd:
      return Command("timeout", bound + qemu(files, commandLine))
    case .intel:
      try Lab.Files.write(BochsConfiguration(files).text, to: files.configuration)
      // Debian's Bochs is the one with a debugger, which waits for its first command.
      try Lab.Files.write("c\n", to: files.debuggerCommands)
      let monitor = try Lab.Files.read(files.project.monitor)
      guard monitor.count <= 2 * Files.pieceSize else {
        throw LabError.malformed(file: files.project.monitor, reason: "larger than 256 KiB")
      }
      for number in 0..<2 {
        try Lab.Files.write(
          Array(monitor.dropFirst(number * Files.pieceSize).prefix(Files.pieceSize)),
          to: files.monitorPiece(number))
      }
      try Lab.Files.write(
        Array(commandLine.utf8) + Array(repeating: 0, count: 512 - commandLine.utf8.count),
        to: files.commandLine)
      return Command(
        "timeout",
        bound + ["bochs", "-q", "-f", files.configuration, "-rc", files.debuggerCommands])
    }
  }

  private func qemu(_ files: Files, _ commandLine: String) -> [String] {
    [
      "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none",
      "-accel", "tcg,thread=multi", "-cpu", HostMachine().model,
      "-smp", "\(Self.cpus)", "-m", "\(Self.megabytes)", "-no-reboot",
      "-serial", "file:\(files.console)", "-device", "isa-debug-exit,iobase=0xf4",
      "-kernel", files.image, "-initrd", files.project.monitor,
    ] + (commandLine.isEmpty ? [] : ["-append", commandLine])
  }
}
