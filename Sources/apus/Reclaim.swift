// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Figures
import Machine

/// `apus reclaim`: the administrator's way to a CPU that a guest's client keeps.
struct Reclaim: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Take a lent CPU from the guest that has it, whatever its client does.",
    discussion: """
      For a client that is stopped or stuck; `apus stop` ends a guest in order. The guest loses that \
      processor for good, and the state in it. Linux has the CPU when the command returns.

      Exit status: 0 Linux has it; 1 it could not be had.
      """)

  @Argument(help: "The CPU, by Linux's number.")
  var cpu: Int

  @Option(help: ArgumentHelp("The device.", valueName: "path"))
  var device = "/dev/apus"

  @Flag(help: "Write JSON to standard output.")
  var json = false

  func validate() throws {
    guard cpu >= 0 else { throw ValidationError("a CPU has a number from 0 on") }
  }

  func run() throws {
    do throws(ReclaimError) {
      try CPUReclaim.take(cpu, device: device)
    } catch {
      if json { Output.standard(JSON.text(["error": "\(error)"])) }
      Output.error("apus: \(error)")
      throw ExitCode(1)
    }
    if json {
      Output.standard(JSON.text(Answer(cpu: cpu)))
    } else {
      Output.standard("CPU \(cpu) is Linux's again")
    }
  }

  private struct Answer: Encodable {
    let version = 1
    let cpu: Int
  }
}
