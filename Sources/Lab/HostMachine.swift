// SPDX-License-Identifier: Apache-2.0

/// An emulated AMD machine: QEMU without any virtualisation of the real processor.
public struct HostMachine: Sendable, Equatable {
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
  /// An emulated CPU whose thread is preferred to the others': see `EmulatorThreads`.
  public var favouredCPU: Int?

  public init() {}

  /// Where a run finds and leaves its files.
  struct Files: Sendable, Equatable {
    var kernel: String
    var initramfs: String
    var console: String
    var report: String
    /// What the third serial port says, for a machine that shall have one.
    var thirdSerial: String?
  }

  /// The command that runs the machine for at most `seconds`.
  ///
  /// `timeout` bounds it even if the lab itself is killed.
  func command(_ files: Files, seconds: Int, interactive: Bool) -> Command {
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
      ] + thirdSerial(files) + emulatorOptions)
  }

  private func thirdSerial(_ files: Files) -> [String] {
    guard let path = files.thirdSerial else { return [] }
    return [
      "-chardev", "file,id=third,path=\(path)", "-device", "isa-serial,index=2,chardev=third",
    ]
  }

  private func commandLine(_ files: Files, interactive: Bool) -> String {
    // `quiet` leaves warnings; a panic ends the run through -no-reboot, but where a guest with the
    // third serial port shall outlive it.
    let panic = files.thirdSerial == nil ? "panic=-1" : "panic=0"
    // Emulated CPUs share one counter, but none claims an invariant TSC, and Linux would turn to
    // the HPET, which no machine does that Apus is meant for.
    // An emulated CPU may starve for longer than the kernel gives its first timer, and it would
    // panic: "IO-APIC + timer doesn't work!" (seen). Under KVM kernels leave that check out too.
    var words = ["console=ttyS0", "quiet", panic, "tsc=reliable", "no_timer_check"]
    if interactive { words.append("LAB_INTERACTIVE=1") }
    if !append.isEmpty { words.append(append) }
    return words.joined(separator: " ")
  }
}
