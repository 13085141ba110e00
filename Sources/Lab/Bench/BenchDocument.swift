// SPDX-License-Identifier: Apache-2.0
import Figures

/// The report of a run: every figure is the run's own, but for those of the documents and the model, which
/// are called so. What was not measured is said to be missing.
struct BenchDocument {
  let results: BenchResults
  private(set) var document: Document

  init(_ results: BenchResults) {
    self.results = results
    document = Document(
      title: "Apus beside KVM and bare metal",
      lead:
        "The same guest on the same emulated machine, in one run: on a lent CPU, on the host's own KVM, and "
        + "the host itself. Exits and instructions are counted exactly. Microseconds are a software "
        + "emulator's, which has no caches and no cost of an exit: they are a model, and are marked with *."
    )
    document.sections = [
      overview, latency("Timer wake-ups on SVM (QEMU)", results.demo, .demo),
      latency("Timer wake-ups on VT-x (Bochs)", results.demoIntel, .demoIntel), documents,
      exits, interrupts, devices, switches, costs, model, machines,
    ]
  }

  // MARK: What the terminal shows, and the report begins with.

  /// For the terminal.
  var summary: String {
    var table = TextTable(["", "bare metal", "KVM", "Apus"])
    table.addRows(summaryRows)
    return table.description + "\n* a model: see the report"
  }

  private var summaryRows: [[String]] {
    var rows: [[String]] = []
    for (name, demo) in [("SVM", results.demo), ("VT-x", results.demoIntel)] {
      rows.append(
        [
          "\(name): exits per tick, cyclictest", "–",
          demo?.kvm?.exitsPerTick.map { Text.decimal($0, places: 2) } ?? Self.missing,
          demo?.apus?.exitsPerTick.map { Text.decimal($0, places: 2) } ?? Self.missing,
        ])
      rows.append(
        ["\(name): wake-ups late, min/avg/max, µs *"]
          + [demo?.bare, demo?.kvm, demo?.apus].map { column in
            column.map { "\($0.cyclictest.min)/\($0.cyclictest.avg)/\($0.cyclictest.max)" }
              ?? Self.missing
          })
      rows.append(
        [
          "\(name): boot to user space, s *", "–",
          demo?.kvm?.userSpaceSeconds.map { Text.decimal($0, places: 2) } ?? Self.missing,
          demo?.apus?.userSpaceSeconds.map { Text.decimal($0, places: 2) } ?? Self.missing,
        ])
    }
    rows.append(row("exits per interrupt between CPUs", .interrupts, "exits-per-interrupt"))
    rows.append(row("exits, 1000 reads of a passed-through disk", .devices, "still-exits"))
    rows.append(row("host interrupts for these", .devices, "still-host-interrupts"))
    rows.append(row("exits, 200 requests to a virtio disk", .virtio, "disk-exits"))
    rows.append([
      "exits per task switch, two tasks", "–", perSwitch("kvm", "two") ?? Self.missing,
      perSwitch("apus", "two") ?? Self.missing,
    ])
    return rows
  }

  private static let missing = "not measured"

  private func row(_ title: String, _ part: BenchPart, _ name: String) -> [String] {
    [title, "–"]
      + ["kvm", "apus"].map { device in
        results.scenarios[part.rawValue]?.values["\(device)-\(name)"] ?? Self.missing
      }
  }

  private func perSwitch(_ device: String, _ work: String) -> String? {
    guard let exits = results.value("\(device)-\(work)-exits", of: .switches),
      let switches = results.value("\(device)-\(work)-switches", of: .switches), switches > 0
    else { return nil }
    return Text.decimal(exits / switches, places: 3)
  }

  private var overview: Document.Section {
    var blocks: [Document.Block] = []
    var cards: [Document.Card] = []
    for (name, demo) in [("SVM", results.demo), ("VT-x", results.demoIntel)] {
      guard let apus = demo?.apus, let kvm = demo?.kvm, let each = apus.exitsPerTick,
        let other = kvm.exitsPerTick
      else { continue }
      cards.append(
        .init(
          "exits per timer tick, \(name)", Text.decimal(each, places: 2),
          beside: "KVM \(Text.decimal(other, places: 2))"))
    }
    for (title, figure, part, places) in [
      ("exits per interrupt between CPUs", "exits-per-interrupt", BenchPart.interrupts, 2),
      (
        "host interrupts, 1000 reads of a passed-through disk", "still-host-interrupts", .devices, 0
      ),
    ] {
      guard let apus = results.value("apus-\(figure)", of: part),
        let kvm = results.value("kvm-\(figure)", of: part)
      else { continue }
      cards.append(
        .init(
          title, Text.decimal(apus, places: places),
          beside: "KVM \(Text.decimal(kvm, places: places))"))
    }
    if let cpuid = results.costs?.monitor.first(where: {
      $0.exit == "cpuid" && $0.vendor == "intel"
    }) {
      let kvm = results.exitCosts.first { $0.exit == "cpuid" }
      cards.append(
        .init(
          "instructions for a CPUID exit, VT-x", "\(cpuid.instructions)",
          beside: kvm.map { "KVM \(Int($0.kvm.rounded()))" } ?? "KVM: not measured"))
    }
    if !cards.isEmpty { blocks.append(.cards(cards)) }
    blocks.append(
      .table(
        .init(
          "In short", heading: ["", "bare metal", "KVM", "Apus"], rows: summaryRows)))
    let missing = BenchPart.allCases.filter { !results.has($0) }
    if !missing.isEmpty {
      blocks.append(
        .missing(
          "Not part of this run: \(missing.map(\.rawValue).joined(separator: ", ")). "
            + "`build/apus-lab bench --only \(missing.map(\.rawValue).joined(separator: ","))` measures them."
        ))
    }
    blocks += results.failures.sorted { $0.key < $1.key }
      .map { .missing("\($0.key) failed: \($0.value)") }
    return .init("Summary", blocks)
  }

  // MARK: cyclictest

  private func latency(
    _ title: String, _ demo: DemoResult?, _ part: BenchPart
  ) -> Document.Section {
    guard let demo else { return .init(title, [unmeasured(part)]) }
    let ways: [(Series, DemoColumn?)] = [
      (.bare, demo.bare), (.kvm, demo.kvm), (.apus, demo.apus),
    ]
    let present = ways.compactMap { series, column in column.map { (series, $0) } }
    var table: [[String]] = []
    func row(_ name: String, _ cell: (DemoColumn) -> String?) {
      table.append([name] + ways.map { $0.1.flatMap(cell) ?? "–" })
    }
    row("wake-ups") { "\($0.cyclictest.wakeUps)" }
    row("late, at least, µs *") { "\($0.cyclictest.min)" }
    row("late, on average, µs *") { "\($0.cyclictest.avg)" }
    row("late, 99 of 100, µs *") { "\($0.cyclictest.percentile(0.99))" }
    row("late, at most, µs *") { "\($0.cyclictest.max)" }
    row("timer ticks meanwhile") { $0.ticks.map { "\($0)" } }
    row("exits meanwhile") { $0.exits.map { "\($0)" } }
    row("exits per tick") { $0.exitsPerTick.map { Text.decimal($0, places: 3) } }
    row("idle guest: exits per tick") {
      $0.idle.map { Text.decimal($0.exitsPerTick, places: 3) }
    }
    row("boot to user space, s *") { $0.userSpaceSeconds.map { Text.decimal($0, places: 2) } }
    row("timer") { $0.timerDevice }
    return .init(
      title,
      [
        .text(
          "cyclictest with an interval of 1 ms on CPU \(demo.measuredCpu), the host's other CPUs busy, as in "
            + "document 003. \(demo.emulator.name), \(demo.emulator.processor)."),
        .histogram(
          HistogramPlot(
            "Wake-ups by delay, on logarithmic axes; a dashed line is the latest", unit: "µs *",
            lines: present.map { series, column in
              let test = column.cyclictest
              return .init(
                series, "\(series.title): min \(test.min), avg \(test.avg), max \(test.max)",
                counts: test.histogram, most: test.max)
            })),
        .table(
          .init(
            "cyclictest, idle guest", heading: [""] + ways.map(\.0.title), rows: table)),
        .notes(demo.notes),
      ])
  }

  private var documents: Document.Section {
    func cell(_ values: (min: Int, avg: Int, max: Int)?) -> String {
      values.map { "\($0.min) / \($0.avg) / \($0.max)" } ?? "–"
    }
    func own(_ column: DemoColumn?) -> String {
      column.map { cell(($0.cyclictest.min, $0.cyclictest.avg, $0.cyclictest.max)) }
        ?? Self.missing
    }
    let rows = SeedFigures.directIRQ.map { row in
      let isBusy = row.load == "host busy"
      let columns = [results.demoIntel, results.demo].map { demo in
        switch row.way {
        case "bare metal": own(demo?.bare)
        case "KVM": own(demo?.kvm)
        default: own(demo?.apus)
        }
      }
      return [row.load, row.way, cell(row.stock), cell(row.realTime)]
        + (isBusy ? columns : columns.map { _ in Self.missing })
    }
    return .init(
      "Row by row beside the documents",
      [
        .table(
          .init(
            "Document 003's table, min / avg / max in µs: its Core i7 3770, and this run *",
            heading: [
              "load", "way", "document, Linux 3.4", "document, -rt", "here, VT-x *", "here, SVM *",
            ], rows: rows, leftColumns: [0, 1])),
        .notes([
          "The document's 300,000 loops and these \(results.demo?.bare?.cyclictest.wakeUps ?? 5000) are too few for "
            + "a maximum, as it says itself. Its machine is real; the ones here are emulated, and their "
            + "microseconds compare with each other only.",
          "Network load with a virtual function, and the -rt kernel as guest, are not measured here.",
        ]),
        .histogram(
          HistogramPlot(
            "Document 002's histogram: the preemption timer instead of a host timer", unit: "µs",
            lines: [
              .init(
                .otherDocument, "host timer (enable_hv_timer=N): min 5, avg 8",
                counts: SeedFigures.PreemptionTimer.notUsed, most: 12),
              .init(
                .document, "preemption timer (enable_hv_timer=Y): min 4, avg 6",
                counts: SeedFigures.PreemptionTimer.used, most: 12),
            ])),
        .notes([
          SeedFigures.PreemptionTimer.source
            + ". With either timer of the document each tick exits; on a lent CPU none does."
        ]),
        .table(
          .init(
            "Document 000: a network card's virtual function",
            heading: ["", "direct interrupts", "without", "here"],
            rows: SeedFigures.network.map { [$0.0, $0.1, $0.2, Self.missing] })),
        .table(
          .init(
            "Document 004: task switches (2007), and this run *",
            heading: [
              "", "native", "KVM", "paravirtual", "here: bare *", "here: KVM *", "here: Apus *",
            ],
            rows: zip(SeedFigures.switches, SwitchCost.works).map { row, work in
              [row.0, row.1, row.2, row.3]
                + ["bare", "kvm", "apus"].map { switchTime($0, work) ?? Self.missing }
            })),
      ])
  }

  private func switchTime(_ device: String, _ work: String) -> String? {
    guard let seconds = results.value("\(device)-\(work)-seconds", of: .switches) else {
      return nil
    }
    guard work == "two" else { return Text.decimal(seconds, places: 2) }
    guard let switches = results.value("\(device)-\(work)-switches", of: .switches), switches > 0
    else { return nil }
    return Text.decimal(1e6 * seconds / switches, places: 2)
  }

  // MARK: Exits by cause

  private var exits: Document.Section {
    var blocks: [Document.Block] = []
    for (name, demo, part) in [
      ("SVM", results.demo, BenchPart.demo), ("VT-x", results.demoIntel, .demoIntel),
    ] {
      guard let demo, demo.kvm != nil || demo.apus != nil else {
        blocks.append(unmeasured(part))
        continue
      }
      blocks.append(
        bars(
          "While cyclictest ran for 5 s, \(name): exits by cause", demo
        ) { $0.exitsByReason ?? [:] })
      blocks.append(
        bars(
          "A guest's whole life, from its first instruction to the power-off, \(name): exits by cause",
          demo
        ) { $0.wholeRun?.exitsByReason ?? [:] })
    }
    return .init("Exits by cause", blocks)
  }

  private func bars(
    _ caption: String, _ demo: DemoResult, _ exits: (DemoColumn) -> [String: Int]
  ) -> Document.Block {
    let columns: [(Series, DemoColumn)] = [(Series.kvm, demo.kvm), (.apus, demo.apus)]
      .compactMap { series, column in column.map { (series, $0) } }
    var sums: [String: Int] = [:]
    for (_, column) in columns { sums.merge(exits(column), uniquingKeysWith: +) }
    let most = sums.values.max() ?? 0
    let causes = sums.filter { $0.value > 0 && 500 * $0.value >= most }
      .sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
    var rows = causes.map { cause in
      BarPlot.Row(cause, columns.map { ($0.0, Double(exits($0.1)[cause] ?? 0)) })
    }
    rows.insert(
      BarPlot.Row("all", columns.map { ($0.0, Double(exits($0.1).values.reduce(0, +))) }), at: 0)
    return .bars(BarPlot(caption, unit: "exits", rows: rows))
  }

  // MARK: Interrupts, devices, switches

  private var interrupts: Document.Section {
    section("Interrupts between a guest's CPUs", .interrupts) { values in
      [
        .table(
          .init(
            "Two shells on two CPUs of a guest wake each other", heading: ["", "KVM", "Apus"],
            rows: rows(
              [
                ("interrupts", "interrupts"), ("exits", "exits"),
                ("exits per interrupt", "exits-per-interrupt"),
                ("exits by cause", "exits-by-reason"),
              ], values)))
      ]
    }
  }

  private var devices: Document.Section {
    var section = section("A passed-through disk", .devices) { values in
      [
        .table(
          .init(
            "1000 reads of an NVMe disk by a guest of QEMU, one interrupt each",
            heading: ["", "KVM", "Apus"],
            rows: rows(
              [
                ("interrupts that the host took", "still-host-interrupts"),
                ("exits", "still-exits"),
                (
                  "the same while Linux moves the interrupt: host interrupts",
                  "moving-host-interrupts"
                ),
                ("  exits", "moving-exits"),
              ], values))),
        .notes(["Each access to the device's registers is an exit to QEMU on either."]),
      ]
    }
    section.blocks +=
      self.section("", .virtio) { values in
        [
          .table(
            .init(
              "Virtio of QEMU: 200 requests to a disk; 50 pings and a file of 200 KB over a network",
              heading: ["", "KVM", "Apus"],
              rows: rows(
                [
                  ("disk: exits", "disk-exits"), ("network: exits", "net-exits"),
                  ("disk: notifications", "disk-notifications"),
                ], values)))
        ]
      }.blocks
    section.title = "Devices"
    return section
  }

  private var switches: Document.Section {
    section("Task switches", .switches) { values in
      let works = [
        ("two", "two tasks"), ("hackbench-40", "hackbench, 40 tasks"),
        ("hackbench-200", "hackbench, 200 tasks"),
      ]
      return [
        .table(
          .init(
            "On one CPU", heading: ["", "", "switches", "exits", "exits a switch", "seconds *"],
            rows: works.flatMap { work, title in
              [("bare", Series.bare), ("kvm", .kvm), ("apus", .apus)].map { device, series in
                [
                  title, series.title, values["\(device)-\(work)-switches"] ?? "–",
                  values["\(device)-\(work)-exits"] ?? "–", perSwitch(device, work) ?? "–",
                  results.value("\(device)-\(work)-seconds", of: .switches)
                    .map { Text.decimal($0, places: 3) } ?? "–",
                ]
              }
            }, leftColumns: [0, 1])),
        .notes([
          "hackbench with 20 messages of each sender instead of its usual 100. The switches of bare metal are those of "
            + "all of the host's CPUs."
        ]),
      ]
    }
  }

  private func rows(
    _ names: [(String, String)], _ values: [String: String]
  ) -> [[String]] {
    names.map { title, name in
      [title, values["kvm-\(name)"] ?? "–", values["apus-\(name)"] ?? "–"]
    }
  }

  private func section(
    _ title: String, _ part: BenchPart, _ blocks: ([String: String]) -> [Document.Block]
  ) -> Document.Section {
    guard let result = results.scenarios[part.rawValue] else {
      return .init(title, [unmeasured(part)])
    }
    return .init(title, blocks(result.values))
  }

  private func unmeasured(_ part: BenchPart) -> Document.Block {
    .missing(
      "\(part.rawValue) was not part of this run: `build/apus-lab bench --only \(part.rawValue)`.")
  }

  // MARK: Costs

  private var costs: Document.Section {
    var blocks: [Document.Block] = []
    if let costs = results.costs {
      let cost = { (kind: ExitKind, vendor: String) in
        costs.monitor.first { $0.exit == kind.name && $0.vendor == vendor }
      }
      blocks.append(
        .table(
          .init(
            "Instructions of the monitor from exit to entry",
            heading: ["", "SVM", "ceiling", "VT-x", "ceiling", "VMREADs", "VMWRITEs"],
            rows: ExitKind.all.map { kind in
              let (amd, intel) = (cost(kind, "amd"), cost(kind, "intel"))
              return [
                kind.title, amd.map { "\($0.instructions)" } ?? "–",
                amd.map { "\($0.ceiling)" } ?? "–",
                intel.map { "\($0.instructions)" } ?? "–", intel.map { "\($0.ceiling)" } ?? "–",
                intel?.vmreads.map { "\($0)" } ?? "–", intel?.vmwrites.map { "\($0)" } ?? "–",
              ]
            })))
      blocks.append(
        .notes([
          "SVM under QEMU, which does not tell the length of an instruction: the monitor reads it from the guest's "
            + "memory, which a real processor saves it."
        ]))
    } else {
      blocks.append(unmeasured(.costs))
    }
    let hosted = results.exitCosts
    if hosted.isEmpty {
      blocks.append(unmeasured(.exits))
    } else {
      blocks.append(
        .bars(
          BarPlot(
            "Instructions until the guest goes on, under Linux on VT-x: by the guest's own TSC, which counts "
              + "instructions under Bochs", unit: "instructions",
            rows: hosted.map { cost in
              BarPlot.Row(HostedCost.title(of: cost.exit), [(.kvm, cost.kvm), (.apus, cost.apus)])
            })))
    }
    return .init("What an exit costs", blocks)
  }

  // MARK: The model

  private var model: Document.Section {
    var blocks: [Document.Block] = []
    let hosted = results.exitCosts
    let chosen = ["cpuid", "icr-self", "ioapic-read", "port-client"]
      .compactMap { name in hosted.first { $0.exit == name } }
    if chosen.isEmpty {
      blocks.append(unmeasured(.exits))
    } else {
      blocks.append(
        .table(
          .init(
            "Microseconds of one exit: KVM / Apus (a model)",
            heading: [""] + chosen.map { HostedCost.title(of: $0.exit) },
            rows: CostModel.all.map { model in
              [model.name]
                + chosen.map { cost in
                  [cost.kvm, cost.apus]
                    .map { Text.decimal(model.microseconds(instructions: $0), places: 2) }
                    .joined(separator: " / ")
                }
            })))
    }
    if let kvm = results.demoIntel?.kvm?.exitsPerTick ?? results.demo?.kvm?.exitsPerTick,
      let apus = results.demoIntel?.apus?.exitsPerTick ?? results.demo?.apus?.exitsPerTick,
      let cost = hosted.first(where: { $0.exit == "wrmsr" })
    {
      blocks.append(
        .table(
          .init(
            "Microseconds that exits add to one timer tick, each taken to cost as much as an emulated WRMSR "
              + "(a model)",
            heading: ["", "KVM", "Apus"],
            rows: CostModel.all.map { model in
              [model.name]
                + [(kvm, cost.kvm), (apus, cost.apus)].map { exits, instructions in
                  Text.decimal(
                    exits * model.microseconds(instructions: instructions), places: 3)
                }
            })))
    }
    blocks.append(
      .table(
        .init(
          "The model's table", heading: ["processor", "exit and entry, cycles", "GHz", "source"],
          rows: CostModel.all.map {
            [
              $0.name, "\(Int($0.transitionCycles))", Text.decimal($0.gigahertz, places: 2),
              $0.source,
            ]
          }, leftColumns: [0, 3])))
    blocks.append(.notes(CostModel.notes))
    return .init("From instructions to microseconds: a model", blocks)
  }

  private var machines: Document.Section {
    var rows = results.versions.sorted { $0.key < $1.key }.map { [$0.key, $0.value] }
    for (name, demo) in [("SVM machine", results.demo), ("VT-x machine", results.demoIntel)] {
      guard let emulator = demo?.emulator else { continue }
      rows.append([
        name,
        "\(emulator.name), \(emulator.processor), \(emulator.cpus) CPUs, \(emulator.memoryMib) MiB, "
          + emulator.accelerator,
      ])
    }
    for (name, size) in results.sizes.sorted(by: { $0.key < $1.key }) {
      rows.append(["size of \(name), bytes", "\(size)"])
    }
    return .init(
      "The run",
      rows.isEmpty
        ? [.missing("Nothing is known of the run's versions: no part recorded them.")]
        : [
          .table(
            .init("What took part", heading: ["", ""], rows: rows, leftColumns: [0, 1])),
          .notes([
            "Each part boots machines of its own. A report from earlier results (--from) may have parts of different "
              + "days, and the versions are those of the demonstration."
          ]),
        ])
  }
}

extension BenchResults {
  /// Of the scenario `exit-costs`.
  var exitCosts: [HostedCost] {
    scenarios[BenchPart.exits.rawValue].map { HostedCost.all(in: $0.values) } ?? []
  }

  func has(_ part: BenchPart) -> Bool {
    switch part {
    case .costs: costs != nil
    case .demo: demo != nil
    case .demoIntel: demoIntel != nil
    default: scenarios[part.rawValue] != nil
    }
  }
}
