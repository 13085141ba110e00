// SPDX-License-Identifier: Apache-2.0
import Figures
import Foundation
import LatencyGuest
import LinuxCalls
import Testing

@testable import Machine

@Suite("Wake-up latency")
struct LatencyTests {
  private func column(
    _ way: LatencyColumn.Way, _ samples: [UInt64], managementInterrupts: UInt64? = nil
  ) -> LatencyColumn {
    var column = LatencyColumn(way: way, cpu: 3, timer: "t", figures: LatencyFigures())
    for sample in samples { column.figures.add(sample) }
    column.managementInterrupts = managementInterrupts
    if way != .host { column.exits = 2 }
    return column
  }

  private func surroundings(_ files: [String: String] = [:]) throws -> LatencySurroundings {
    let directory = try HostDirectory(files)
    return LatencySurroundings(
      cpu: 3, files: directory.files,
      processor: ProcessorFacts(vendor: .intel, flags: [], vmxFlags: []) { _ in .init() })
  }

  @Test("is measured by a guest that a loader of kernels takes, with nothing but its instructions")
  func image() throws {
    let image = try LinuxImage(LatencyGuestImage.file)
    #expect(image.entry == 0x100_0200)
    #expect(LatencyGuestImage.code.count > 300)
    #expect(LatencyGuestImage.file.count <= 4096)
    // mov $LATENCY_STACK, %esp
    #expect(Array(LatencyGuestImage.code.prefix(5)) == [0xbc, 0x00, 0x00, 0x21, 0x01])
    #expect(MemoryLayout<latency_area>.offset(of: \.tsc_ticks) == 0x30)
    #expect(MemoryLayout<latency_area>.offset(of: \.interval) == 0x18)
    #expect(MemoryLayout<latency_area>.offset(of: \.count) == 0x10)
    // Area, table and stack lie in the guest's memory, and do not touch one another.
    #expect(LATENCY_AREA + LATENCY_SAMPLES_OFFSET + 4 * LATENCY_SAMPLES <= LATENCY_TABLE)
    #expect(UInt64(LATENCY_STACK) < LatencyGuestImage.memorySize)
  }

  @Test("has three digits of every delay, and each of them counted")
  func figures() {
    var figures = LatencyFigures()
    for value in 1...1000 { figures.add(UInt64(value)) }
    figures.add(1_234_567)
    #expect(figures.count == 1001)
    #expect(figures.min == 1)
    #expect(figures.percentile(50) == 501)
    #expect(abs(Int(figures.max) - 1_234_567) < 1_234)
    #expect(figures.counts.values.reduce(0, +) == 1001)
    #expect(LatencyFigures().max == 0)
  }

  @Test("is judged by the latest, and advice names what stands in the way")
  func verdict() throws {
    let machine = try surroundings([
      "/sys/devices/system/cpu/online": "0-7",
      "/sys/devices/system/cpu/cpu3/topology/thread_siblings_list": "3,7",
      "/sys/devices/system/cpu/cpu3/cpufreq/scaling_governor": "powersave",
      "/sys/devices/system/cpu/cpu3/cpuidle/state2/name": "C6",
      "/sys/devices/system/cpu/cpu3/cpuidle/state2/latency": "133",
      "/sys/devices/system/cpu/cpu3/cpuidle/state2/disable": "0",
      "/proc/irq/30/effective_affinity_list": "3", "/proc/irq/31/effective_affinity_list": "2",
    ])
    #expect(machine.siblings == [7])
    #expect(machine.interrupts == 1)
    #expect(machine.sleepStates == [.init(name: "C6", exitLatency: 133, isDisabled: false)])
    let report = LatencyReport(
      interval: 1_000_000, surroundings: machine,
      columns: [
        column(.host, [4_000, 250_000]), column(.apus, [900, 8_000], managementInterrupts: 3),
      ])
    #expect(report.verdict.contains("8.00 µs late"))
    #expect(report.verdict.contains("tens of microseconds"))
    #expect(report.verdict.contains("On the host it was 250"))
    let advice = report.advice.joined(separator: "\n")
    for words in [
      "3 system management interrupts", "CPU 7", "C6 (133 µs)", "powersave", "isolcpus",
    ] {
      #expect(advice.contains(words), "\(words)")
    }
  }

  @Test("of a quiet machine brings no advice, and of nothing no verdict")
  func quiet() throws {
    let machine = try surroundings()
    let report = LatencyReport(
      interval: 1_000_000, surroundings: machine,
      columns: [column(.apus, [1_000], managementInterrupts: 0)])
    #expect(report.advice.isEmpty)
    let nothing = LatencyReport(interval: 1, surroundings: machine, columns: [])
    #expect(nothing.verdict == "No guest on a lent CPU was measured.")
  }

  @Test("is said in text, in JSON and on a page")
  func output() throws {
    let report = LatencyReport(
      interval: 1_000_000, surroundings: try surroundings(),
      columns: [column(.host, [4_000]), column(.apus, [900, 8_000])])
    let text = report.lines.joined(separator: "\n")
    #expect(text.contains("late, at most, µs"))
    #expect(text.contains("8.00"))
    let json = JSON.text(report)
    #expect(json.contains("\"way\" : \"apus\""))
    #expect(json.contains("\"900\" : 1"))
    let page = HTMLPage(report.document).text
    #expect(page.contains("class=\"latest apus\""))
    #expect(page.contains("a guest on a lent CPU"))
  }

  @Test("of the host is what its own clock says, in the order of milliseconds at most here")
  func host() throws {
    let timer = HostTimer(cpu: 0, interval: 1_000_000)
    let thread = try Thread { timer.run() }
    // The memory of all tests is locked first, which takes its time.
    let deadline = ContinuousClock.now + .seconds(60)
    var samples: [UInt64] = []
    while samples.isEmpty, ContinuousClock.now < deadline {
      usleep(10_000)
      samples += timer.drain()
    }
    timer.stop()
    thread.stop()
    #expect(!samples.isEmpty)
    #expect(samples.allSatisfy { $0 < 10_000_000_000 })
  }
}
