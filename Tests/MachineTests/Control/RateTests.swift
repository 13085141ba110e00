// SPDX-License-Identifier: Apache-2.0
import Contract
import Figures
import Testing

@testable import Machine

@Suite("Lists of running guests")
struct RateTests {
  private func status(
    _ name: GuestName, pid: Int32 = 7, uptime: Duration, cpus: [Int?], exits: [ExitCounts]
  ) -> GuestStatus {
    GuestStatus(
      name: name, pid: pid, state: .running, device: "/dev/apus", hypervisor: .apus,
      memory: 256 << 20,
      uptime: uptime,
      virtualCPUs: zip(cpus, exits).enumerated().map { id, pair in
        .init(
          id: id, cpu: pair.0, exits: pair.1, interrupts: .init(isDirect: true, reason: ""),
          timer: .init(isDirect: id == 0, reason: ""), apic: .x2APIC)
      })
  }

  private var earlier: GuestStatus {
    status(
      "one", uptime: .seconds(10), cpus: [2, 3],
      exits: [.sample(("cpuid", 10), ("io", 5)), .sample(("cpuid", 0), ("io", 0))])
  }

  private var later: GuestStatus {
    status(
      "one", uptime: .seconds(12), cpus: [2, 3],
      exits: [.sample(("cpuid", 11), ("io", 25)), .sample(("cpuid", 0), ("io", 2))])
  }

  @Test("Rates are of each vCPU and of all, by the guest's own clock")
  func rates() throws {
    let rates = try #require(ExitRates(from: earlier, to: later))
    #expect(rates.elapsed == .seconds(2))
    #expect(rates.rates.total == 11.5)
    #expect(rates.rates.byCause.map(\.name) == ["io", "cpuid"])
    #expect(rates.virtualCPUs.map(\.rates.total) == [10.5, 1])
    #expect(rates.virtualCPUs[1].rates.byCause == [.init(name: "io", perSecond: 1)])
  }

  @Test("A guest that took another's name, or whose clock stands, has no rates")
  func none() {
    var other = later
    other.pid = 8
    #expect(ExitRates(from: earlier, to: other) == nil)
    #expect(ExitRates(from: earlier, to: earlier) == nil)
  }

  @Test("A counter that cannot be read any longer is no huge rate")
  func backwards() {
    var lost = later
    lost.virtualCPUs[0].exits = .none
    lost.virtualCPUs[1].exits = .none
    #expect(ExitRates(from: earlier, to: lost)?.rates.total == 0)
  }

  @Test("apus top has a line for a guest and one for each of its vCPUs")
  func top() {
    let report = RateReport(
      from: [.init(name: "one", status: earlier)],
      to: [
        .init(name: "one", status: later), .init(name: "new", status: later),
        .init(name: "stuck", status: nil),
      ])
    #expect(
      report.lines == [
        "NAME   VCPU  CPU  EXITS/S  BY CAUSE",
        "one     all  2-3     11.5  io 11.0, cpuid 0.5",
        "          0    2     10.5  io 10.0, cpuid 0.5",
        "          1    3      1.0  io 1.0",
        "new       -  2-3        -  ",
        "stuck     -    -        -  does not answer",
      ])
  }

  @Test("apus ps has a line for each guest, and says who else uses the driver")
  func list() {
    let list = GuestList(
      [.init(name: "one", status: later), .init(name: "stuck", status: nil)], countOnApus: 3)
    #expect(
      list.lines == [
        "NAME   PID  DEVICE     CPUS  VCPUS  MEMORY  UPTIME  EXITS  INTERRUPTS  TIMER",
        "one      7  /dev/apus  2-3       2    256M    12 s     38  direct      direct on 1 of 2",
        "stuck    -  -          -         -       -       -      -  -           (does not answer)",
        "The driver also runs 2 guests of other clients.",
      ])
    #expect(GuestList([], countOnApus: nil).lines == ["no guest is running"])
  }

  @Test("apus ps says how devices' interrupts reach their guests, and why not directly")
  func deviceInterrupts() {
    let interrupts = [
      apus_interrupt(
        process: 41, host_irq: 30, gsi: 24, delivery: 0, vcpu: 1, vector: 0x31, forwarded: 2,
        changes: 3),
      apus_interrupt(
        process: 41, host_irq: 31, gsi: 25, delivery: 6, vcpu: 0, vector: 0, forwarded: 1200,
        changes: 1),
    ].map(DeviceInterrupt.init)
    let list = GuestList([], countOnApus: 1, deviceInterrupts: interrupts)
    #expect(
      list.lines == [
        "no guest is running",
        "The driver also runs 1 guest of other clients.",
        "",
        "PID  IRQ  GSI  VCPU  VECTOR  FORWARDED  CHANGES  DEVICE INTERRUPT",
        " 41   30   24     1      49          2        3  direct",
        " 41   31   25     -       -       1200        1  "
          + "forwarded: an MSI that cannot be masked, without interrupt remapping",
      ])
    #expect(
      JSON.line(list).contains(
        #"{"changes":1,"forwarded":1200,"gsi":25,"host_irq":31,"pid":41,"reason":"an MSI that"#))
    #expect(JSON.line(list).contains(#""reason":null,"vcpu":1,"vector":49,"way":"direct"}"#))
  }

  @Test("A status travels whole")
  func roundTrip() {
    #expect(JSON.decode(GuestStatus.self, from: JSON.line(later).utf8) == later)
    var bare = later
    bare.virtualCPUs = [.init(id: 0, cpu: nil)]
    #expect(JSON.decode(GuestStatus.self, from: JSON.line(bare).utf8) == bare)
  }

  @Test(
    "Times have two units at most",
    arguments: [
      (0, "0 s"), (59, "59 s"), (125, "2 min 5 s"), (3 * 3600 + 600, "3 h 10 min"),
      (12 * 86_400 + 4 * 3600 + 59, "12 d 4 h"),
    ])
  func times(seconds: Int, text: String) { #expect(GuestList.text(.seconds(seconds)) == text) }

  @Test("A live page has no more lines and columns than the terminal")
  func page() {
    #expect(
      LiveScreen.page(["abcdef", "b", "c"], columns: 3, rows: 2)
        == "\u{1b}[Habc\u{1b}[K\r\nb\u{1b}[K\u{1b}[J")
  }
}
