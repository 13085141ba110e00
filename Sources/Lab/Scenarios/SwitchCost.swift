// SPDX-License-Identifier: Apache-2.0
import Figures

extension Scenario {
  /// What task switches cost a guest: two tasks that wake each other on one CPU, and hackbench with 40 and
  /// 200 tasks, as document 004 has them.
  static let switchCost: Scenario = {
    var scenario = Scenario(
      name: "switch-cost",
      summary: "task switches and hackbench: bare metal, KVM and Apus", seconds: 600,
      script: """
        dmesg -n 4
        load kvm-amd
        load apus
        tasks() {
          step "$1: two tasks, and hackbench with 40 and 200"
          timeout 150 apus run --device /dev/$1 --cpu 3 --memory 512 --kernel /lab/guest/vmlinuz \\
            --initrd /lab/guest/initramfs --append 'console=ttyS0 quiet tsc=reliable LAB_WORK=switch' \\
            --json /tmp/$1.json < /dev/null > /tmp/$1 2>&1
          expect $1-powered-off [ $? = 0 ]
          expect $1-to-its-end grep -q '^ok hackbench-200' /tmp/$1
          attach $1.json /tmp/$1.json
        }
        step "bare: the same on CPU 3 of the host"
        cat > /tmp/work <<'END'
        \(GuestSMPWork.switches)
        END
        # The guest's functions, with the time instead of the exits.
        cat > /tmp/bare <<'END'
        exec 3>/dev/null
        check() { name=$1; shift; if "$@"; then echo "ok $name"; else echo "bad $name: $*"; fi; }
        pause() { sleep $1; }
        noted() { read -r up idle < /proc/uptime; echo "$1 $up $total"; }
        . /tmp/work
        END
        taskset -c 3 sh /tmp/bare > /tmp/bare.said 2>&1
        expect bare-to-its-end grep -q '^ok hackbench-200' /tmp/bare.said
        attach bare.txt /tmp/bare.said
        tasks kvm
        tasks apus
        expect host-unhurt clean_kernel_log

        """)
    scenario.suite = .bench
    scenario.machine.favouredCPU = 3
    scenario.programs = ["/usr/bin/hackbench"]
    scenario.guestPrograms = ["/usr/bin/hackbench"]
    scenario.expected = [
      "bare-to-its-end", "kvm-to-its-end", "apus-to-its-end", "host-unhurt",
    ]
    scenario.measure = { SwitchCost.measurement($0) }
    return scenario
  }()
}

/// What the scenario reported, as figures.
enum SwitchCost {
  static let works = ["two", "hackbench-40", "hackbench-200"]

  static func measurement(_ report: Report) -> Scenario.Measurement {
    var values: [String: String] = [:]
    for device in ["kvm", "apus"] {
      guard let text = report.text(of: device + ".json"), let run = try? GuestRun(json: text) else {
        continue
      }
      for work in works {
        guard let interval = run.interval(from: work + "-begin", to: work + "-end") else {
          continue
        }
        values["\(device)-\(work)-exits"] = "\(interval.exits)"
        values["\(device)-\(work)-switches"] = interval.ticks.map { "\($0)" }
        values["\(device)-\(work)-seconds"] = "\(Double(interval.durationNs) / 1e9)"
      }
    }
    let bare = marks(in: report.files["bare.txt"] ?? [])
    for work in works {
      guard let from = bare[work + "-begin"], let to = bare[work + "-end"] else { continue }
      values["bare-\(work)-switches"] = "\(to.switches - from.switches)"
      values["bare-\(work)-seconds"] = "\((to.seconds - from.seconds).roundedToThousandths)"
    }
    return .init(values: values, table: table(values))
  }

  /// Lines `NAME SECONDS SWITCHES`.
  private static func marks(in lines: [String]) -> [String: (seconds: Double, switches: Int)] {
    var marks: [String: (Double, Int)] = [:]
    for line in lines {
      let words = line.split(separator: " ")
      guard words.count == 3, let seconds = Double(words[1]), let switches = Int(words[2]) else {
        continue
      }
      marks[String(words[0])] = (seconds, switches)
    }
    return marks
  }

  private static func table(_ values: [String: String]) -> String {
    var table = TextTable(["", "switches", "exits", "exits a switch", "seconds *"])
    for work in works {
      for device in ["bare", "kvm", "apus"] {
        let value = { (name: String) in values["\(device)-\(work)-\(name)"] }
        let each = value("exits").flatMap(Double.init).flatMap { exits in
          value("switches").flatMap(Double.init).map { exits / max($0, 1) }
        }
        table.addRow([
          "\(work), \(device)", value("switches") ?? "–", value("exits") ?? "–",
          each.map { Text.decimal($0, places: 3) } ?? "–", value("seconds") ?? "–",
        ])
      }
    }
    return table.description + "\n* of a software emulator: a model"
  }
}
