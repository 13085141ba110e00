// SPDX-License-Identifier: Apache-2.0
import Figures

/// `apus-lab bench`: every measurement in one go, and a report of them.
public struct BenchRun: Sendable {
  public var project: Project
  public var terminal: Terminal
  public var parts = BenchPart.allCases
  /// Results of an earlier run, to be shown instead of measured.
  public var earlierResults: String?
  /// Where a Markdown file and its pictures are to be written, beside the report.
  public var document: String?

  public init(project: Project, terminal: Terminal) {
    self.project = project
    self.terminal = terminal
  }

  private var directory: String { project.root + "/build/bench" }

  /// True if every part that was asked for was measured, and all that must hold of them did.
  public func run() async throws -> Bool {
    var failures: [String: String] = [:]
    if earlierResults == nil {
      for part in parts {
        do { try await measure(part) } catch { failures[part.rawValue] = "\(error)" }
      }
    }
    let from = earlierResults ?? directory + "/results"
    var results = try BenchResults(of: parts, in: from)
    results.failures.merge(failures) { found, _ in found }
    if earlierResults == nil { results.sizes = sizes() }
    try write(results)
    return results.failures.isEmpty && missing(in: from).isEmpty
  }

  private func missing(in directory: String) -> [BenchPart] {
    parts.filter { $0.result(in: directory) == nil }
  }

  /// Leaves the part's result in build/bench/results. One of an earlier run must not be taken for it.
  private func measure(_ part: BenchPart) async throws {
    let results = directory + "/results"
    try Files.makeDirectory(results)
    let result = "\(results)/\(part.rawValue).json"
    try Files.remove(result)
    switch part {
    case .costs:
      let run = CostRun(project: project, terminal: terminal)
      var report = CostReport()
      for machine in StandaloneMachine.allCases { report.monitor += try await run.run(on: machine) }
      try JSON.write(report, to: result)
      return
    case .demo, .demoIntel:
      let demo = Demo(
        vendor: part == .demo ? .amd : .intel, project: project, terminal: terminal,
        ways: ["bare", "apus", "kvm"])
      _ = try await demo?.run()
    default:
      guard let scenario = part.scenario else { return }
      _ = try await ScenarioRunner(project: project, terminal: terminal).run(scenario)
    }
    if let file = part.result(in: project.lab) {
      try Files.write(try Files.read(file), to: result)
    }
  }

  /// Bytes of the files that `make` leaves.
  private func sizes() -> [String: Int] {
    var sizes: [String: Int] = [:]
    for (name, path) in [("monitor", project.monitor), ("apus", project.apus)] {
      sizes[name] = (try? Files.read(path))?.count
    }
    return sizes
  }

  private func write(_ results: BenchResults) throws {
    try Files.makeDirectory(directory)
    let report = BenchDocument(results)
    try JSON.write(results, to: directory + "/report.json")
    try Files.write(HTMLPage(report.document).text, to: directory + "/report.html")
    if let document {
      let name = (document.split(separator: "/").last ?? "").split(separator: ".").first ?? ""
      let pictures = document.dropLast(3) + ""
      let markdown = MarkdownText(report.document, pictureDirectory: String(name))
      try Files.makeEmptyDirectory(String(pictures))
      for (name, picture) in markdown.pictures {
        try Files.write(picture, to: "\(pictures)/\(name)")
      }
      try Files.write(markdown.text, to: document)
    }
    terminal.text("\n" + report.summary + "\n")
    for (part, failure) in results.failures.sorted(by: { $0.key < $1.key }) {
      terminal.text("FAILED \(part): \(failure)")
    }
    terminal.step("report: build/bench/report.html, figures: build/bench/report.json")
  }
}
