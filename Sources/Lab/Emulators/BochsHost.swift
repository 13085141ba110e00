// SPDX-License-Identifier: Apache-2.0

/// An emulated Intel machine: a PC in Bochs, with firmware for the ACPI tables that Linux wants,
/// and a disk from which it boots at once.
struct BochsHost {
  /// From Debian's package bochsbios.
  static let firmware = "/usr/share/bochs/BIOS-bochs-latest"

  var machine: HostMachine
  var files: HostMachine.Files

  private var disk: String { files.directory + "/disk" }
  private var videoFirmware: String { files.directory + "/no-video" }

  /// Writes what Bochs reads, and says how to run it for at most `seconds`.
  func prepare(bootSector: String, commandLine: String, seconds: Int) throws -> Command {
    guard Files.exists(Self.firmware) else {
      throw LabError.notInstalled(packages: ["bochs", "bochsbios"])
    }
    guard Files.exists(bootSector) else {
      throw LabError.notBuilt(
        what: "the boot sector", path: bootSector, remedy: "make boot-sector")
    }
    try Files.write(
      BootDisk(
        sector: try Files.read(bootSector), kernel: try Files.read(files.kernel),
        commandLine: commandLine, initramfs: try Files.read(files.initramfs)
      ).bytes, to: disk)
    try Files.write([UInt8](repeating: 0, count: 512), to: videoFirmware)
    return try BochsConfiguration(
      cpus: machine.cpus, emulatorLog: files.emulatorLog, machine: configuration
    ).command(
      configuration: files.directory + "/bochsrc",
      debuggerCommands: files.directory + "/debugger", seconds: seconds)
  }

  /// Why it gave up, if it did: how a machine goes off is a panic for Bochs too.
  func message() throws -> String {
    // The disk is as large as the initramfs, and of no use afterwards.
    try Files.remove(disk)
    guard Files.exists(files.emulatorLog) else { return "" }
    return try Files.readText(files.emulatorLog).split(separator: "\n")
      .filter { $0.contains("PANIC") && !$0.contains("power off") && !$0.contains("Shutdown port") }
      .joined(separator: "\n")
  }

  private var configuration: String {
    """
    memory: guest=\(machine.memory), host=\(machine.memory)
    romimage: file=\(Self.firmware), options=fastboot
    vgaromimage: file=\(videoFirmware)
    pci: enabled=1, chipset=i440fx
    ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
    ata0-master: type=disk, path=\(disk), mode=flat, cylinders=0
    boot: disk
    com1: enabled=1, mode=file, dev=\(files.console)
    com2: enabled=1, mode=file, dev=\(files.report)
    """ + (files.hasThirdSerial ? "\ncom3: enabled=1, mode=file, dev=\(files.thirdSerial)" : "")
  }
}
