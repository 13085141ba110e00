// SPDX-License-Identifier: Apache-2.0

/// An emulated machine with Linux as host: of AMD's kind under QEMU, without any virtualisation of
/// the real processor, or of Intel's under Bochs.
public struct HostMachine: Sendable, Equatable {
  public let vendor: Vendor
  public var cpus = 4
  /// In MiB.
  public var memory = 1024
  /// A processor with SVM, nested paging and x2APIC, as far as QEMU emulates them.
  public var model = "EPYC,+x2apic"
  /// Each emulated CPU is a thread: real parallelism, and times that are those of this machine.
  public var accelerator = "tcg,thread=multi"
  /// Added to the kernel's command line.
  public var append = ""
  /// Added to QEMU's command line.
  public var emulatorOptions: [String] = []
  /// A file of the working tree that is the host's disk, /dev/nvme0n1. What is written to it goes nowhere.
  public var disk: String?
  /// A disk for a guest to have, with its interrupts.
  public var passedDisk: PassedDisk?
  /// An emulated CPU whose thread is preferred to the others': see `EmulatorThreads`.
  public var favouredCPU: Int?

  public init(_ vendor: Vendor = .amd) {
    self.vendor = vendor
    if vendor == .intel {
      // One thread emulates them all, in turns.
      cpus = 2
      model = BochsConfiguration.processor
      accelerator = "sync=none"
    }
  }

  /// Where a run finds and leaves its files.
  struct Files: Sendable, Equatable {
    var kernel: String
    var directory: String
    /// Whether the machine has a third serial port.
    var hasThirdSerial = false

    var initramfs: String { directory + "/initramfs.cpio" }
    var console: String { directory + "/console.log" }
    var report: String { directory + "/report.log" }
    var thirdSerial: String { directory + "/third-serial.log" }
    /// What the emulator writes to its terminal.
    var emulatorOutput: String { directory + "/emulator.out" }
    /// Bochs' own log.
    var emulatorLog: String { directory + "/bochs.log" }
  }

  /// Of KVM's modules the one for this processor.
  var kvmModule: String { vendor == .amd ? "kvm-amd" : "kvm-intel" }

  /// Writes what the emulator reads, and says how to run the machine for at most `seconds`.
  ///
  /// `timeout` bounds it even if the lab itself is killed.
  func prepare(
    _ files: Files, in project: Project, seconds: Int, interactive: Bool
  ) throws -> Command {
    switch vendor {
    case .amd: return qemu(files, in: project, seconds: seconds, interactive: interactive)
    case .intel:
      if interactive { throw LabError.machine("Bochs has no terminal for a shell: use `try`") }
      return try BochsHost(machine: self, files: files).prepare(
        bootSector: project.bootSector, commandLine: commandLine(files, interactive: false),
        seconds: seconds)
    }
  }

  private func qemu(
    _ files: Files, in project: Project, seconds: Int, interactive: Bool
  ) -> Command {
    let console =
      interactive
      ? "stdio,id=console,signal=off,logfile=\(files.console)"
      : "file,id=console,path=\(files.console)"
    return Command(
      "timeout",
      (interactive ? ["--foreground"] : []) + [
        "--kill-after=5", "\(seconds)",
        "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none",
        "-name", "apus-lab,debug-threads=on",
        "-accel", accelerator, "-cpu", model, "-smp", "\(cpus)", "-m", "\(memory)",
        "-no-reboot",
        "-chardev", console, "-serial", "chardev:console",
        "-chardev", "file,id=report,path=\(files.report)", "-serial", "chardev:report",
        "-kernel", files.kernel, "-initrd", files.initramfs,
        "-append", commandLine(files, interactive: interactive),
      ] + thirdSerial(files) + diskOptions(in: project)
        + (passedDisk?.options(disk: files.kernel) ?? [])
        + emulatorOptions)
  }

  private func diskOptions(in project: Project) -> [String] {
    guard let disk else { return [] }
    return [
      "-drive", "file=\(project.root)/\(disk),format=raw,if=none,id=disk,snapshot=on",
      "-device", "nvme,serial=disk,drive=disk",
    ]
  }

  private func thirdSerial(_ files: Files) -> [String] {
    guard files.hasThirdSerial else { return [] }
    return [
      "-chardev", "file,id=third,path=\(files.thirdSerial)",
      "-device", "isa-serial,index=2,chardev=third",
    ]
  }

  /// What a kernel has to be told of time on an emulated machine.
  ///
  /// Emulated CPUs share one counter, but none claims an invariant TSC, and Linux would turn to
  /// the HPET, which no machine does that Apus is meant for.
  /// An emulated CPU may starve for longer than the kernel gives its first timer, and it would
  /// panic: "IO-APIC + timer doesn't work!" (seen). Under KVM kernels leave that check out too.
  static let emulatedClockWords = "tsc=reliable no_timer_check"

  private func commandLine(_ files: Files, interactive: Bool) -> String {
    // `quiet` leaves warnings; a panic ends the run (QEMU by -no-reboot, Bochs by the disk's first
    // sector), but where a guest with the third serial port shall outlive it.
    let panic = files.hasThirdSerial ? "panic=0" : "panic=-1"
    var words = ["console=ttyS0,115200", "quiet", panic, Self.emulatedClockWords]
    // Where the firmware names the third port, the script takes its device from Linux. Bochs' does
    // not, and Linux would find the port by itself, without a device to take away.
    if files.hasThirdSerial, vendor == .intel { words.append("8250.nr_uarts=2") }
    if interactive { words.append("LAB_INTERACTIVE=1") }
    if !append.isEmpty { words.append(append) }
    return words.joined(separator: " ")
  }
}
