// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Lab

/// `apus-lab bench`.
struct BenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measures Apus beside KVM and bare metal, and writes a report.",
    discussion: """
      Parts: \(BenchPart.allCases.map(\.rawValue).joined(separator: ", ")). All of them take about an hour, most \
      of it under Bochs. The report is build/bench/report.html, its figures build/bench/report.json, the results \
      of the parts build/bench/results. Needs what `make all hostile standalone` builds.
      """)

  @Option(help: "Parts to measure or to show, separated by commas; all if not said.")
  var only: String?
  @Option(
    help: "Measure nothing: show the results in this directory, build/bench/results or build/lab.")
  var from: String?
  @Option(help: "Also write the report as Markdown to this file, with its pictures beside it.")
  var document: String?

  @Flag(
    help:
      "Show the report that is there in a browser, Debian's chromium, and fail if that complains.")
  var look = false

  func validate() throws {
    _ = try parts()
    if let document, !document.hasSuffix(".md") {
      throw ValidationError("--document \(document): expected a name that ends with .md")
    }
  }

  private func parts() throws -> [BenchPart] {
    guard let only else { return BenchPart.allCases }
    return try only.split(separator: ",").map { name in
      guard let part = BenchPart(rawValue: String(name)) else {
        throw ValidationError("no part is named \(name); --help names them")
      }
      return part
    }
  }

  func run() async throws {
    if look {
      let page = BenchPage(project: try Project.current(), terminal: Terminal())
      if try await !page.run() { throw ExitCode.failure }
      return
    }
    var run = BenchRun(
      project: try Project.current(), terminal: Terminal(showsConsole: false))
    run.parts = try parts()
    run.earlierResults = from
    run.document = document
    if try await !run.run() { throw ExitCode.failure }
  }
}
