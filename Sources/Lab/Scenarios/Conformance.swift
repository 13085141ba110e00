// SPDX-License-Identifier: Apache-2.0

extension Scenario {
  /// What a guest sees of its processor and its interrupt controllers, against the manuals: on bare
  /// QEMU, on KVM and on Apus. What bare QEMU does wrong is the emulator's fault.
  static let conformance: Scenario = {
    var scenario = Scenario(
      name: "conformance", summary: "the manuals' checks in a guest: bare QEMU, KVM and Apus",
      seconds: 500,
      script: """
        dmesg -n 4
        load kvm-amd
        load apus pool=3
        # column NAME CPU ACCELERATOR: every part of the guest; one that hangs is ended.
        column() {
          for part in \(ConformanceColumns.parts.joined(separator: " ")); do
            step "$1: $part"
            timeout 45 qemu-system-x86_64 -nodefaults -no-reboot -display none -serial stdio -M q35 \\
              -m 64 -cpu $2 -accel $3 -device pc-testdev \\
              -device isa-debug-exit,iobase=0xf4,iosize=0x4 \\
              -kernel /lab/conformance-guest -append $part < /dev/null 2> /tmp/said |
              sed "s/^checks done/& $part/" >> /tmp/$1
          done
          attach $1.txt /tmp/$1
        }
        column bare EPYC,+x2apic tcg,tb-size=64
        column kvm host kvm,device=/dev/kvm
        column apus host kvm,device=/dev/apus
        within 10 [ "$(cat /sys/devices/system/cpu/online)" = 0-3 ]
        expect all-cpus-online [ "$(cat /sys/devices/system/cpu/online)" = 0-3 ]
        expect host-unhurt clean_kernel_log

        """)
    scenario.machine.append = "panic_on_warn=1"
    scenario.suite = .soak
    scenario.clients = [.qemu]
    scenario.files = ["lab/conformance-guest": "build/conformance-guest"]
    scenario.expected = ["all-cpus-online", "host-unhurt"]
    scenario.checks = [
      .init("as-the-manuals-say") { report in
        let problems = ConformanceColumns(report.files).problems
        return problems.isEmpty ? nil : problems.joined(separator: "; ")
      }
    ]
    scenario.measure = { ConformanceColumns($0.files).measurement }
    return scenario
  }()
}

/// What the conformance guest printed on three accelerators.
struct ConformanceColumns {
  /// Of the guest, by the words of its command line.
  static let parts = ["general", "operations", "cr4"]
  /// Those that QEMU's emulation lets a guest end.
  static let partsThatEnd = ["general", "operations"]

  /// Each check's answer, `ok` or what was wrong, by its name.
  typealias Column = [String: String]
  var bare: Column
  var kvm: Column
  var apus: Column
  /// The parts that Apus, or bare QEMU, did not come to the end of.
  private var unfinished: [String]

  init(_ files: [String: [String]]) {
    bare = Self.answers(files["bare.txt"] ?? [])
    kvm = Self.answers(files["kvm.txt"] ?? [])
    apus = Self.answers(files["apus.txt"] ?? [])
    unfinished = ["bare", "apus"].flatMap { name in
      Self.partsThatEnd
        .filter { !(files[name + ".txt"] ?? []).contains("checks done " + $0) }
        .map { "\(name) did not end \($0)" }
    }
  }

  private static func answers(_ lines: [String]) -> Column {
    var answers: Column = [:]
    for line in lines where line.hasPrefix("check ") {
      let words = line.split(separator: " ", maxSplits: 2).map(String.init)
      if words.count == 3 { answers[words[1]] = words[2] }
    }
    return answers
  }

  /// Checks that bare QEMU passes and Apus fails or never answers, and parts without an end.
  var problems: [String] {
    unfinished
      + bare.keys.sorted().filter { bare[$0] == "ok" && apus[$0] != "ok" }
      .map { "\($0): \(apus[$0] ?? "no answer")" }
  }

  /// How many checks each passes, and those that not all three do.
  var measurement: Scenario.Measurement {
    let columns = [("bare", bare), ("kvm", kvm), ("apus", apus)]
    var values: [String: String] = [:]
    for (name, column) in columns {
      values[name + "-passed"] = String(column.values.count { $0 == "ok" })
      values[name + "-failed"] = String(column.values.count { $0 != "ok" })
    }
    let names = Set(bare.keys).union(kvm.keys).union(apus.keys).sorted()
    let rows = names.map { name in [name] + columns.map { $0.1[name] ?? "no answer" } }
    var table = [["check", "bare QEMU", "KVM", "Apus"]]
    table += rows.filter { $0.dropFirst().contains { $0 != "ok" } }
    return .init(
      values: values,
      table: table.map { "| " + $0.joined(separator: " | ") + " |\n" }.joined())
  }
}
