// SPDX-License-Identifier: Apache-2.0

extension Scenario {
  /// What /dev/kvm and /dev/apus offer in one host, against the tables of docs/KVM-API.md.
  static let kvmAPI: Scenario = {
    var scenario = Scenario(
      name: "kvm-api", summary: "every ioctl, capability and first state: KVM, Apus and the docs",
      seconds: 240,
      script: """
        load kvm-amd
        load apus pool=3
        echo 0 > /sys/module/apus/parameters/user_handover_ms
        for device in kvm apus; do
          expect $device-answers sh -c "/lab/survey /dev/$device > /tmp/$device"
          attach $device.txt /tmp/$device
        done
        within 10 [ "$(cat /sys/devices/system/cpu/online)" = 0-3 ]
        expect all-cpus-online [ "$(cat /sys/devices/system/cpu/online)" = 0-3 ]
        expect host-unhurt clean_kernel_log

        """)
    scenario.machine.append = "panic_on_warn=1"
    scenario.suite = .soak
    scenario.files = ["lab/survey": "build/survey"]
    scenario.expected = ["kvm-answers", "apus-answers", "all-cpus-online", "host-unhurt"]
    scenario.checks = [
      .init("as-documented") { report in
        do {
          let project = try Project.current()
          let documented = APITables(parsing: try Files.readText(project.root + "/docs/KVM-API.md"))
          let measured = APITables(
            kvm: report.files["kvm.txt"] ?? [], apus: report.files["apus.txt"] ?? [])
          let problems = measured.problems(against: documented)
          return problems.isEmpty ? nil : problems.joined(separator: "; ")
        } catch {
          return "\(error)"
        }
      }
    ]
    return scenario
  }()
}

/// What two devices answer, by what they were asked.
struct APITables: Equatable {
  struct Answers: Equatable {
    var kvm: String
    var apus: String
    /// Why they differ; nil where the document says nothing.
    var reason: String?
  }
  var rows: [String: Answers] = [:]

  /// The rows of a document's tables that begin with a name in backquotes: name, KVM, Apus, reason.
  init(parsing document: String) {
    for line in document.split(separator: "\n") where line.hasPrefix("| `") {
      let cells = line.split(separator: "|", omittingEmptySubsequences: false).dropFirst()
        .map { $0.filter { $0 != "`" }.trimmed }
      // Of a capability the name stands before the reason.
      let reason = cells[0].hasPrefix("cap ") ? 4 : 3
      guard cells.count > reason else { continue }
      rows[cells[0]] = Answers(
        kvm: cells[1], apus: cells[2], reason: cells[reason].isEmpty ? nil : cells[reason])
    }
  }

  /// What `survey` printed on both devices. State is kept where it differs only.
  init(kvm: [String], apus: [String]) {
    let (kvm, apus) = (Self.answers(kvm), Self.answers(apus))
    for (name, _) in kvm.merging(apus, uniquingKeysWith: { first, _ in first }) {
      let isState = !name.hasPrefix("KVM_") && !name.hasPrefix("APUS_") && !name.hasPrefix("cap ")
      let answers = Answers(
        kvm: kvm[name] ?? (isState ? "0" : "nothing"),
        apus: apus[name] ?? (isState ? "0" : "nothing"), reason: nil)
      if isState, answers.kvm == answers.apus { continue }
      rows[name] = answers
    }
  }

  private static func answers(_ lines: [String]) -> [String: String] {
    var answers: [String: String] = [:]
    for line in lines {
      let words = line.split(separator: " ").map(String.init)
      switch words.first {
      // One that neither has is none.
      case "cap" where words.count == 4: answers["cap \(words[1])"] = "\(words[2]) \(words[3])"
      case "ioctl" where words.count == 3: answers[words[1]] = words[2]
      case "state" where words.count == 3: answers[words[1]] = words[2]
      default: break
      }
    }
    return answers.filter { !$0.key.hasPrefix("cap ") || $0.value != "0 0" }
  }

  /// The row of that name, or of the longest beginning of it before a `*`.
  private func row(of name: String) -> (place: String, Answers)? {
    if let row = rows[name] { return (name, row) }
    let prefixes = rows.keys.filter { $0.hasSuffix("*") && name.hasPrefix($0.dropLast()) }
    return prefixes.max { $0.count < $1.count }.flatMap { place in rows[place].map { (place, $0) } }
  }

  /// `*` in the document is any answer: it follows the machine. A difference needs a reason.
  func problems(against documented: APITables) -> [String] {
    var problems: [String] = []
    var used: Set<String> = []
    for (name, measured) in rows.sorted(by: { $0.key < $1.key }) {
      guard let (place, row) = documented.row(of: name) else {
        problems.append("\(name) is not documented: KVM \(measured.kvm), Apus \(measured.apus)")
        continue
      }
      used.insert(place)
      let matches =
        (row.kvm == "*" || row.kvm == measured.kvm)
        && (row.apus == "*" || row.apus == measured.apus)
      if !matches {
        problems.append(
          "\(name): KVM \(measured.kvm), Apus \(measured.apus), documented \(row.kvm), \(row.apus)")
      } else if row.reason == nil, measured.kvm != measured.apus {
        problems.append("\(name) differs without a reason")
      }
    }
    for name in documented.rows.keys.sorted() where !used.contains(name) {
      problems.append("\(name) is documented, and no answer was different")
    }
    return problems
  }
}

extension StringProtocol {
  fileprivate var trimmed: String {
    String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
  }
}
