// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Lab

/// Options of commands that boot a machine of the developer's choice.
struct MachineOptions: ParsableArguments {
  @Option(help: "amd (QEMU, SVM) or intel (Bochs, VT-x).")
  var vendor: Vendor = .amd
  @Option(help: "The host's kernel: cloud, backports or debug.")
  var kernel: KernelPackage = .cloud
  @Option(name: .customLong("file"), help: "A file to take along, as FILE:PATH-INSIDE. Repeatable.")
  var files: [String] = []
  @Option(
    name: .customLong("program"), help: "A program to take along, with its libraries. Repeatable.")
  var programs: [String] = []
  @Option(name: .customLong("client"), help: "qemu, to take along. Repeatable.")
  var clients: [HostClient] = []
  @Option(help: "Seconds after which the machine is ended.")
  var timeout: Int = 300
  @Option(help: "CPUs of the emulated host; 4 of amd, 2 of intel if not said.")
  var cpus: Int?
  @Option(help: "MiB of memory of the emulated host.")
  var memory: Int = 1024
  @Option(help: "An emulated CPU whose thread is preferred to the others'.")
  var favour: Int?
  @Option(help: "Words to add to the host kernel's command line.")
  var append: String = ""
  @Option(
    parsing: .unconditional,
    help: "Options to add to QEMU's, as in --qemu '-s -d int,cpu_reset -D int.log'.")
  var qemu: String = ""

  func workbench(terminal: Terminal) async throws -> Workbench {
    var machine = HostMachine(vendor)
    if let cpus { machine.cpus = cpus }
    machine.memory = memory
    machine.append = append
    machine.emulatorOptions = qemu.split(separator: " ").map(String.init)
    machine.favouredCPU = favour
    var workbench = Workbench(
      project: try Project.current(), machine: machine, terminal: terminal)
    workbench.kernel = kernel
    workbench.seconds = timeout
    workbench.programs = programs
    workbench.clients = Set(clients)
    for file in files {
      let parts = file.split(separator: ":", maxSplits: 1).map(String.init)
      guard parts.count == 2 else {
        throw ValidationError("--file \(file): expected FILE:PATH-INSIDE")
      }
      workbench.files[parts[1]] = parts[0]
    }
    return workbench
  }
}

extension Vendor: ExpressibleByArgument {}
extension KernelPackage: ExpressibleByArgument {}
extension HostClient: ExpressibleByArgument {}
