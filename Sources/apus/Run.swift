// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Logging
import Machine

/// `apus run`: one guest, from its kernel to its power-off.
struct Run: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Boot a Linux guest.",
    discussion: """
      Exit status: 0 the guest powered off, 1 the host failed, 2 the guest failed, 3 the guest \
      asked for a reset, 64 the request cannot be met, 128 + N ended by signal N.
      """)

  @Option(help: "The guest's kernel, a bzImage.")
  var kernel: String

  @Option(help: "The guest's initial RAM disk.")
  var initrd: String?

  @Option(help: "The guest's command line.")
  var append = "console=ttyS0"

  @Option(help: "The guest's memory, in mebibytes or with K, M or G.")
  var memory = MemorySize(bytes: 256 << 20)

  @Option(help: "The CPUs to run on, one for each of the guest's: 3, or 2-3, or 1,3.")
  var cpu: CPUList?

  @Option(help: "The device that runs guests.")
  var device = "/dev/apus"

  @Option(help: "A file for the figures of the run.")
  var json: String?

  @Flag(help: "Leave the guest's console alone: neither show its output nor read input.")
  var noConsole = false

  @Flag(name: .shortAndLong, help: "Do not print what the run cost.")
  var quiet = false

  func run() throws {
    let logger = Logger(label: "apus")
    do throws(SetupError) {
      let guest = try GuestMachine(try configuration(), logger: logger)
      let result = guest.run()
      Output.error("\(result.outcome) \(result.elapsed) \(result.exits)\n\(result.report)")
    } catch {
      Output.error("apus: \(error)")
      throw ExitCode(error.isUsage ? 64 : 1)
    }
  }

  private func configuration() throws(SetupError) -> GuestConfiguration {
    let host = HostFiles()
    let image: LinuxImage
    let file = try HostFiles.read(kernel)
    do {
      image = try LinuxImage(file)
    } catch {
      throw .kernel(path: kernel, error)
    }
    let disk = try initrd.map { path throws(SetupError) in try HostFiles.read(path) } ?? []
    let loader: BootLoader
    do {
      loader = try BootLoader(
        image: image, commandLine: append, initrd: disk, memorySize: memory.bytes)
    } catch {
      throw .boot(error)
    }
    let cpus = cpu?.cpus ?? []
    try Preflight.check(memory: memory.bytes, of: host)
    try Preflight.check(cpus: cpus, lent: device.hasSuffix("apus"), of: host)
    return GuestConfiguration(
      device: device, cpus: cpus, memorySize: memory.bytes, loader: loader, console: !noConsole)
  }
}
