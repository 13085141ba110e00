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
    var machine: StandaloneMachine
    var directory: String

    var console: String { directory + "/console.log" }
    var emulatorLog: String { directory + "/emulator.log" }
    var command: String { directory + "/command" }
    var configuration: String { directory + "/bochsrc" }
    var debuggerCommands: String { directory + "/debugger" }
    /// `rom` with the command line in it.
    var filledROM: String { directory + "/rom" }
    /// Where the instructions of exits are found afterwards, and how often each was executed.
    var trace: String { directory + "/trace" }
    var counts: String { directory + "/counts" }

    var image: String { project.root + "/build/standalone" }
    var flatImage: String { image + ".flat" }
    var rom: String { image + ".rom" }

    /// Bochs puts no more than this of one file into memory, and no more than four files.
    static let pieceSize = 128 << 10
    func monitorPiece(_ number: Int) -> String { directory + "/monitor.\(number)" }
    func imagePiece(_ number: Int) -> String { directory + "/image.\(number)" }
    /// ROM_COMMAND_LINE in StandaloneEntry.
    static let commandLineInROM = 0x9000
  }

  /// What is looked at from outside while the monitor runs.
  enum Observation: Sendable {
    /// The instructions of each exit, for the test `costs`.
    case exits
    /// How often each instruction was executed. Not under Bochs.
    case functions
  }

  /// Writes what the emulator reads, and says how to run it for at most `seconds`.
  func prepare(
    _ files: Files, commandLine: String, seconds: Int, observation: Observation?
  ) throws -> Command {
    for path in [files.image, files.flatImage, files.rom] where !Lab.Files.exists(path) {
      throw LabError.notBuilt(
        what: "the standalone image", path: path, remedy: "make standalone")
    }
    guard Lab.Files.exists(files.project.monitor) else {
      throw LabError.notBuilt(
        what: "the monitor", path: files.project.monitor, remedy: "make monitor")
    }
    switch self {
    case .amd:
      return Command(
        "timeout",
        ["--kill-after=5", "\(seconds)"] + qemu(files, commandLine)
          + (try observation.map { try plugin($0, files).options() } ?? []))
    case .intel:
      try split(files.project.monitor, into: files.monitorPiece)
      try split(files.flatImage, into: files.imagePiece)
      var rom = try Lab.Files.read(files.rom)
      let line = Array(commandLine.utf8)
      rom.replaceSubrange(
        Files.commandLineInROM..<(Files.commandLineInROM + line.count), with: line)
      try Lab.Files.write(rom, to: files.filledROM)
      var configuration = BochsConfiguration(
        cpus: Self.cpus, emulatorLog: files.emulatorLog, machine: bochs(files))
      if observation == .exits {
        configuration.machine += "\nmagic_break: enabled=1"
        configuration.debuggerCommands = BochsTrace.commands(breakpoints: CostRun.breakpoints)
      }
      return try configuration.command(
        configuration: files.configuration, debuggerCommands: files.debuggerCommands,
        seconds: seconds)
    }
  }

  /// In two pieces, of which the second may be of one byte: Bochs takes no empty file.
  private func split(_ path: String, into piece: (Int) -> String) throws {
    let bytes = try Lab.Files.read(path)
    guard bytes.count <= 2 * Files.pieceSize else {
      throw LabError.malformed(file: path, reason: "larger than 256 KiB")
    }
    for number in 0..<2 {
      let part = Array(bytes.dropFirst(number * Files.pieceSize).prefix(Files.pieceSize))
      try Lab.Files.write(part.isEmpty ? [0] : part, to: piece(number))
    }
  }

  private func plugin(_ observation: Observation, _ files: Files) -> CountingPlugin {
    switch observation {
    case .exits: CountingPlugin(project: files.project, trace: files.trace)
    case .functions: CountingPlugin(project: files.project, counts: files.counts)
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

  /// No BIOS, no disk, no PCI. Addresses as in Sources/StandaloneEntry/rom.S. Bochs insists on an
  /// image for the VGA's ROM, and never runs it.
  private func bochs(_ files: Files) -> String {
    """
    megs: \(Self.megabytes)
    romimage: file=\(files.filledROM), address=0xffff0000
    vgaromimage: file=\(files.rom)
    optramimage1: file=\(files.imagePiece(0)), address=0x200000
    optramimage2: file=\(files.imagePiece(1)), address=0x220000
    optramimage3: file=\(files.monitorPiece(0)), address=0x3000000
    optramimage4: file=\(files.monitorPiece(1)), address=0x3020000
    pci: enabled=0
    com1: enabled=1, mode=file, dev=\(files.console)
    """
  }
}
