// SPDX-License-Identifier: Apache-2.0
import Figures
import Foundation
import Testing

@testable import Lab

@Suite("A bench's report")
struct BenchTests {
  private let directory = FileManager.default.temporaryDirectory.path + "/bench-\(UUID())"

  private func column(exits: Int) -> String {
    """
    {"exits_per_tick": \(Double(exits) / 5000), "exits_by_reason": {"hlt": \(exits)}, "exits": \(exits),
     "ticks": 5000, "cyclictest": {"wake_ups": 5000, "min": 7, "avg": 8, "max": 913, "overflows": 0,
     "histogram": {"7": 4999, "913": 1}}, "idle": null, "user_space_seconds": 2.5, "whole_run": null,
     "apic_mode": null, "interrupts": null, "timer": null, "timer_device": "lapic"}
    """
  }

  private func writeDemo() throws {
    try Files.makeDirectory(directory)
    try Files.write(
      """
      {"bare": \(column(exits: 0)), "kvm": \(column(exits: 12_050)), "apus": \(column(exits: 0)),
       "cpu_came_back": true, "guest_after_panic": null, "measured_cpu": 3,
       "guest_command_line": "", "emulator": {"name": "QEMU 10", "accelerator": "tcg",
       "processor": "EPYC", "cpus": 4, "memory_mib": 1024}, "versions": {"kernel-package": "6.1"},
       "notes": ["a note"], "checks": [], "passed": true, "seconds": 60}
      """, to: directory + "/demo.json")
  }

  @Test("has the figures of the results that are there, and says what is missing")
  func figures() throws {
    defer { try? Files.remove(directory) }
    try writeDemo()
    try Files.makeDirectory(directory + "/ipi-cost")
    try JSON.write(
      ScenarioRunner.Result(
        scenario: "ipi-cost", seconds: 1, ending: "script", checks: [],
        values: ["apus-exits-per-interrupt": "1.01", "kvm-exits-per-interrupt": "3.93"]),
      to: directory + "/ipi-cost/result.json")
    let results = try BenchResults(of: BenchPart.allCases, in: directory)
    #expect(results.demo?.kvm?.exitsPerTick == 2.41)
    #expect(results.versions == ["kernel-package": "6.1"])
    #expect(results.failures.isEmpty)
    let report = BenchDocument(results)
    #expect(report.summary.contains("SVM: exits per tick, cyclictest"))
    #expect(report.summary.contains("7/8/913"))
    #expect(report.summary.contains("3.93"))
    let page = HTMLPage(report.document).text
    #expect(page.contains("KVM 2.41"))
    #expect(page.contains("demo-intel was not part of this run"))
    #expect(page.contains("2 / 2 / 15"))
    #expect(page.contains("not measured"))
    #expect(!page.contains("costs was not measured as"))
  }

  @Test("of nothing says that all of it is missing, and invents no figure")
  func nothing() throws {
    let results = try BenchResults(of: BenchPart.allCases, in: directory)
    let report = BenchDocument(results)
    #expect(report.summary.components(separatedBy: "not measured").count > 10)
    for part in BenchPart.allCases { #expect(!results.has(part)) }
  }

  @Test("does not take a file of another shape for a result")
  func damaged() throws {
    defer { try? Files.remove(directory) }
    try Files.makeDirectory(directory)
    try Files.write("{}", to: directory + "/demo.json")
    #expect(throws: LabError.self) { try BenchResults(of: [.demo], in: directory) }
  }

  @Test("is the same after its figures were written and read again")
  func again() throws {
    defer { try? Files.remove(directory) }
    try writeDemo()
    let results = try BenchResults(of: [.demo], in: directory)
    let read = JSON.decode(BenchResults.self, from: JSON.text(results).utf8)
    #expect(read.map { JSON.text($0) } == JSON.text(results))
  }

  @Test("names the scenario that failed, and why")
  func failure() throws {
    defer { try? Files.remove(directory) }
    try Files.makeDirectory(directory)
    try JSON.write(
      ScenarioRunner.Result(
        scenario: "ipi-cost", seconds: 1, ending: "timed-out",
        checks: [.init(name: "apus-ping-pong", passed: false, detail: "was never reached")],
        values: [:]), to: directory + "/ipi-cost.json")
    let results = try BenchResults(of: [.interrupts], in: directory)
    #expect(results.failures == ["ipi-cost": "apus-ping-pong: was never reached"])
  }

  @Test("has a model that says an exit takes its transition and its instructions")
  func model() {
    let model = CostModel(name: "", transitionCycles: 1000, gigahertz: 2, source: "")
    #expect(model.microseconds(instructions: 0) == 0.5)
    #expect(model.microseconds(instructions: 3000) == 2)
  }

  @Test(
    "is looked at: a browser's complaints about the page are found, those about the machine are not"
  )
  func page() {
    let said = """
      [1:1:ERROR:dbus/bus.cc:408] Failed to connect to the bus
      [2:2:INFO:CONSOLE(3)] "Refused to load the image", source: file:///report.html (3)
      24 bytes written to file /tmp/1280.png
      """
    #expect(BenchPage.complaints(in: said).count == 1)
    #expect(BenchPage.differences(from: "<svg><svg>", to: "<svg>").count == 1)
    #expect(BenchPage.differences(from: "<svg a>", to: "<svg b>").isEmpty)
  }

  @Test("counts switches and exits between a guest's marks, and a host's")
  func switches() {
    var report = Report()
    report.add("file bare.txt two-begin 10.00 100")
    report.add("file bare.txt ok two")
    report.add("file bare.txt two-end 10.25 6100")
    let values = SwitchCost.measurement(report).values
    #expect(values == ["bare-two-switches": "6000", "bare-two-seconds": "0.25"])
  }
}
