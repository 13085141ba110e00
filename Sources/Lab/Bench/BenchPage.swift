// SPDX-License-Identifier: Apache-2.0

/// `apus-lab bench --look`: shows the report in a browser without a screen, in a wide and in a narrow window, and
/// says what that complains of.
public struct BenchPage: Sendable {
  public var project: Project
  public var terminal: Terminal

  public init(project: Project, terminal: Terminal) {
    self.project = project
    self.terminal = terminal
  }

  /// Debian's package and program.
  static let browser = "chromium"
  static let widths = [1280, 390]

  /// True if nothing is wrong with the page. Leaves build/bench/WIDTH.png.
  public func run() async throws -> Bool {
    let page = project.root + "/build/bench/report.html"
    guard Files.exists(page) else {
      throw LabError.notBuilt(what: "the report", path: page, remedy: "make bench")
    }
    let source = try Files.readText(page)
    var problems: [String] = []
    for width in Self.widths {
      let picture = project.root + "/build/bench/\(width).png"
      try Files.remove(picture)
      let said = try await browse(
        page, "--window-size=\(width),4000 --screenshot='\(picture)'", errors: true)
      problems += Self.complaints(in: said)
      if !Files.exists(picture) { problems.append("no picture at a width of \(width)") }
    }
    let shown = try await browse(page, "--dump-dom", errors: false)
    problems += Self.differences(from: source, to: shown)
    for problem in problems { terminal.text("FAILED \(problem)") }
    terminal.step(
      problems.isEmpty
        ? "the page is shown without a complaint: build/bench/1280.png, build/bench/390.png"
        : "\(problems.count) things are wrong with the page")
    return problems.isEmpty
  }

  private func browse(_ page: String, _ options: String, errors: Bool) async throws -> String {
    // As root a browser has no sandbox, and without a desktop it complains of the bus.
    try await Command(
      "sh",
      [
        "-c",
        "timeout 120 \(Self.browser) --headless --no-sandbox --disable-gpu --hide-scrollbars "
          + "--enable-logging=stderr \(options) 'file://\(page)' \(errors ? "2>&1" : "2>/dev/null")",
      ]
    ).output()
  }

  /// Lines about the page, of what the browser says; not those about the machine that it runs on.
  static func complaints(in text: String) -> [String] {
    text.split(separator: "\n").map(String.init)
      .filter { $0.contains("CONSOLE") || $0.contains("ERR_") || $0.contains("Uncaught") }
  }

  /// What the browser made of the page has all of its parts.
  static func differences(from source: String, to shown: String) -> [String] {
    ["<svg", "<table", "<section", "<figure", "<rect"].compactMap { part in
      let (wanted, found) = (count(part, in: source), count(part, in: shown))
      return wanted == found ? nil : "the browser has \(found) of \(wanted) \(part)"
    }
  }

  private static func count(_ part: String, in text: String) -> Int {
    text.split(separator: part, omittingEmptySubsequences: false).count - 1
  }
}
