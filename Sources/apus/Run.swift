// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Glibc
import Logging
import Machine

/// `apus run`: one guest, from its kernel to its power-off.
struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Boot a Linux guest.",
    discussion: """
      The guest's first serial port is the terminal; Ctrl-A x ends the run. Lines that it writes \
      to the second one go into the report: `mark NAME key=value ...` notes the exits so far (with \
      ticks=N also exits per timer tick), `file NAME TEXT` adds a line to a file, and cyclictest's \
      report becomes a chart.

      Exit status: 0 the guest powered off, 1 the host failed, 2 the guest ended itself, 3 the \
      guest asked for a reset, 64 the request cannot be met, 128 + N ended by signal N.
      """)

  @Option(help: "The guest's kernel, a bzImage.")
  var kernel: String

  @Option(help: "The guest's initial RAM disk.")
  var initrd: String?

  @Option(help: "The guest's command line.")
  var append = "console=ttyS0"

  @Option(
    help: "The guest's memory, in mebibytes or with K, M, G or T.", transform: Arguments.memory)
  var memory = MemorySize(bytes: 256 << 20)

  @Option(
    help: "The CPUs to run on, one for each of the guest's: 3, or 2-3, or 1,3.",
    transform: Arguments.cpus)
  var cpu: CPUList?

  @Option(
    help: """
      Ports of the machine that the guest gets for itself, as in 0x3e8-0x3ef; no driver of \
      Linux's may use them. Repeatable.
      """, transform: Arguments.ports)
  var port: [PortRange] = []

  @Option(
    help: """
      A disk of the guest's: a file or a block device with its bytes (raw), /dev/vda in the guest. \
      With ,readonly behind its name nobody writes to it. Repeatable.
      """, transform: Arguments.disk)
  var disk: [VirtualDevice.Disk] = []

  @Option(
    help: """
      A TAP interface of the host's that the guest's network card is connected to; it must exist, \
      and vhost_net be loaded. Repeatable.
      """)
  var net: [String] = []

  @Option(
    help: """
      The guest's address for sockets to the host (AF_VSOCK), from 3 on; vhost_vsock must be loaded.
      """, transform: Arguments.contextIdentifier)
  var vsock: VirtualDevice.ContextIdentifier?

  @Flag(help: "Give the guest random bytes of the host's, /dev/hwrng.")
  var rng = false

  @Option(
    help: """
      Who keeps the timers of the guest's local APICs: direct, monitor or preemption. Without it \
      they are the lent CPUs' own, as with direct.
      """)
  var timer: TimerChoice?

  @Option(help: "The device that runs guests: /dev/apus or /dev/kvm.")
  var device = "/dev/apus"

  @Option(
    help: "What `apus ps` and the others call the guest; without it, vm and the process's number.",
    transform: Arguments.name)
  var name: GuestName?

  @Option(help: "A file for the figures of the run.")
  var json: String?

  @Flag(help: "Leave the guest's console alone: neither show its output nor read input.")
  var noConsole = false

  @Flag(name: .shortAndLong, help: "Do not print what the run cost.")
  var quiet = false

  func run() throws {
    let result: RunResult
    do throws(SetupError) {
      result = try runGuest()
    } catch {
      Output.error("apus: \(error)")
      throw ExitCode(error.isUsage ? 64 : 1)
    }
    // Whoever reads the report may be slow: a signal may end the wait.
    EndSignals.release()
    show(result)
    guard result.outcome.exitStatus == 0 else { throw ExitCode(result.outcome.exitStatus) }
  }

  /// When it returns, the host has its CPUs and its memory back.
  private func runGuest() throws(SetupError) -> RunResult {
    let configuration = try configuration()
    let file = try json.map { path throws(SetupError) in try ResultFile(path) }
    let server = try controlServer(for: configuration)
    var outcome: RunOutcome?
    // Whoever asked for the end hears of it when the host has everything back.
    defer { server?.close(outcome) }
    let result = try run(configuration, reachableBy: server)
    outcome = result.outcome
    try file?.write(JSONReport(result))
    return result
  }

  private func run(
    _ configuration: GuestConfiguration, reachableBy server: ControlServer?
  ) throws(SetupError) -> RunResult {
    let guest = try GuestMachine(
      configuration, logger: Logger(label: "apus") { _ in Log() })
    return guest.run(reachableBy: server)
  }

  /// Nil where the guest cannot be reached, which only matters to who has named it.
  private func controlServer(
    for configuration: GuestConfiguration
  ) throws(SetupError) -> ControlServer? {
    do {
      return try ControlServer(
        name ?? GuestName(process: getpid()), in: .standard, for: configuration)
    } catch {
      guard name == nil else { throw .control(error) }
      Output.error("apus: warning: this guest is not in `apus ps`: \(error)")
      return nil
    }
  }

  private func show(_ result: RunResult) {
    let text = TextReport(result)
    for line in text.modes { Output.error("apus: \(line)") }
    if !quiet { Output.standard("\n" + text.cost.joined(separator: "\n")) }
    if let failure = result.outcome.failure {
      Output.error("apus: " + FailureReport(failure).lines.joined(separator: "\n"))
    } else if result.outcome != .poweredOff {
      Output.error("apus: \(result.outcome)")
    }
  }

  /// In the order in which the guest finds them.
  private var devices: [VirtualDevice] {
    disk.map(VirtualDevice.disk) + net.map { .network(tap: $0) }
      + (vsock.map { [.socket($0)] } ?? []) + (rng ? [.entropy] : [])
  }

  private func configuration() throws(SetupError) -> GuestConfiguration {
    let host = HostFiles()
    try Preflight.check(memory: memory.bytes, of: host)
    let image: LinuxImage
    let file = try HostFiles.read(kernel, limit: memory.bytes)
    do {
      image = try LinuxImage(file)
    } catch {
      throw .kernel(path: kernel, error)
    }
    let disk = try initrd.map { path throws(SetupError) in
      try HostFiles.read(path, limit: memory.bytes)
    }
    let loader: BootLoader
    do {
      loader = try BootLoader(
        image: image, commandLine: append, initrd: disk ?? [], memorySize: memory.bytes)
    } catch {
      throw .boot(error)
    }
    return GuestConfiguration(
      device: device, cpus: cpu?.cpus ?? [], memorySize: memory.bytes, loader: loader,
      ports: port, timer: timer, devices: devices, console: !noConsole)
  }
}
