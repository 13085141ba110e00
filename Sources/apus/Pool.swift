// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Figures
import Machine

/// `apus pool`: the CPUs for clients that name none.
struct Pool: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Show or set the CPUs for clients that name none, such as QEMU.",
    discussion: """
      The CPUs stay Linux's until a guest wants one. Those that are lent stay lent, and what users other \
      than root may have is what the pool has. It lasts until the module is unloaded; \
      `options apus pool=2-3` in /etc/modprobe.d keeps it.

      Exit status: 0 shown or set; 1 it could not be; 64 the CPUs cannot be lent.
      """)

  @Argument(help: "The CPUs, as in 3, 2-3 or 1,3; or none.")
  var cpus: String?

  @Flag(help: "Write JSON to standard output.")
  var json = false

  func run() throws {
    let wanted = try cpus.map { try $0 == "none" ? CPUList([]) : Arguments.cpus($0) }
    let pool = CPUPool()
    do throws(PoolError) {
      if let wanted { try pool.set(wanted) }
      show(try pool.read())
    } catch {
      if json { Output.standard(JSON.text(["error": "\(error)"])) }
      Output.error("apus: \(error)")
      throw ExitCode(error.isUsage ? 64 : 1)
    }
  }

  private func show(_ list: CPUList) {
    if json {
      Output.standard(JSON.text(Answer(cpus: list.cpus)))
    } else {
      Output.standard(list.cpus.isEmpty ? "none" : "\(list)")
    }
  }

  private struct Answer: Encodable {
    let version = 1
    let cpus: [Int]
  }
}
