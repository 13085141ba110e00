// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Lab

/// `apus-lab demo`.
struct DemoCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract:
      "Runs a stock guest on a lent CPU of an emulated host, with KVM and bare metal beside.")

  @Option(help: "amd (QEMU, SVM) or intel (Bochs, VT-x; takes minutes).")
  var vendor: Vendor = .amd
  @Option(help: "What to measure, of bare, apus and kvm, separated by commas.")
  var ways = "bare,apus,kvm"

  func run() async throws {
    let names = ways.split(separator: ",").map(String.init)
    guard
      let demo = Demo(
        vendor: vendor, project: try Project.current(), terminal: Terminal(), ways: names)
    else { throw ValidationError("--ways \(ways): expected some of bare,apus,kvm") }
    if try await !demo.run() { throw ExitCode.failure }
  }
}
