// SPDX-License-Identifier: Apache-2.0

/// A developer's own machine: any script, no checks.
public struct Workbench: Sendable {
  public var project: Project
  public var machine: HostMachine
  public var kernel = KernelPackage.cloud
  public var terminal: Terminal
  public var script =
    "uname -a; cat /proc/cpuinfo | grep -m 1 'model name'; ls -R /lab /lib/firmware\n"
  public var files: [String: String] = [:]
  public var programs: [String] = []
  public var clients: Set<HostClient> = []
  public var seconds = 300

  public init(project: Project, machine: HostMachine, terminal: Terminal) {
    self.project = project
    self.machine = machine
    self.terminal = terminal
  }

  /// Runs the script; true if it came to its end with status 0.
  public func run() async throws -> Bool {
    let directory = try RunDirectory(firstFreeOf: project.results(of: "try"))
    terminal.step("logs: \(directory.path)")
    let outcome = try await prepare(in: directory.path).run()
    switch outcome.ending {
    case .script: break
    case .timedOut: terminal.step("ended after \(seconds) s without a result")
    case let ending: terminal.step("\(ending)")
    }
    if !outcome.emulatorMessage.isEmpty { terminal.text(outcome.emulatorMessage) }
    switch outcome.report.status {
    case .none: terminal.step("the machine ended before the script did")
    case .some(let status): terminal.step("the script ended with \(status)")
    }
    return outcome.report.status == 0
  }

  /// The same with a shell on the terminal instead of the script.
  public func runInteractively() async throws {
    let directory = try RunDirectory(firstFreeOf: project.results(of: "try"))
    try await prepare(in: directory.path).runInteractively()
  }

  private func prepare(in directory: String) async throws -> MachineRun {
    let guest = try await kernel.guest.prepare(in: project)
    let kernel = try await kernel.prepare(in: project)
    for (part, path) in [
      ("driver", project.driver(for: kernel.release)), ("monitor", project.monitor),
      ("apus", project.apus),
    ] where !Files.exists(path) {
      terminal.step("without \(part): \(path) does not exist")
    }
    let image = HostImage(project: project, kernel: kernel, guest: guest)
    return MachineRun(
      machine: machine, project: project, kernel: kernel,
      initramfs: try await image.make(
        script: script, files: files, programs: programs, clients: clients),
      directory: directory, seconds: seconds, terminal: terminal)
  }
}
