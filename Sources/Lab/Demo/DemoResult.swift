// SPDX-License-Identifier: Apache-2.0
import Figures

/// What the demonstration measured, as written to build/lab/demo.json.
public struct DemoResult: Sendable, Codable {
  var bare: DemoColumn?
  var kvm: DemoColumn?
  var apus: DemoColumn?
  /// Whether Linux had every CPU again after the guest on the lent one.
  var cpuCameBack: Bool?
  /// How long a guest was seen to go on after its host's panic, and in how many lines.
  var guestAfterPanic: String?
  /// Spelled as its name in JSON is read back.
  var measuredCpu: Int
  var guestCommandLine: String
  var emulator: Emulator
  var versions: [String: String]
  var notes: [String]
  var checks: [Report.Check] = []
  var passed = false
  var seconds: Double

  struct Emulator: Sendable, Codable {
    var name: String
    var accelerator: String
    var processor: String
    var cpus: Int
    var memoryMib: Int
  }
}

/// One way to run: a column of the table.
struct DemoColumn: Sendable, Codable {
  /// Of the cyclictest run; none where there is no hypervisor.
  var exitsPerTick: Double?
  var exitsByReason: [String: Int]?
  var exits: Int?
  var ticks: Int?
  var cyclictest: Cyclictest
  var idle: Idle?
  /// From the first instruction to /init, in the quickest of some boots.
  var userSpaceSeconds: Double?
  var wholeRun: WholeRun?
  var apicMode: String?
  var interrupts: GuestRun.Mode?
  var timer: GuestRun.Mode?
  /// Linux's name for the timer that it uses, the guest's or the host's own.
  var timerDevice: String?

  private enum CodingKeys: CodingKey {
    case exitsPerTick, exitsByReason, exits, ticks, cyclictest, idle, userSpaceSeconds, wholeRun
    case apicMode, interrupts, timer, timerDevice
  }

  /// What the host itself has no figure for is null: it is not missing.
  func encode(to encoder: any Encoder) throws {
    var values = encoder.container(keyedBy: CodingKeys.self)
    try values.encode(exitsPerTick, forKey: .exitsPerTick)
    try values.encode(exitsByReason, forKey: .exitsByReason)
    try values.encode(exits, forKey: .exits)
    try values.encode(ticks, forKey: .ticks)
    try values.encode(cyclictest, forKey: .cyclictest)
    try values.encode(idle, forKey: .idle)
    try values.encode(userSpaceSeconds, forKey: .userSpaceSeconds)
    try values.encode(wholeRun, forKey: .wholeRun)
    try values.encode(apicMode, forKey: .apicMode)
    try values.encode(interrupts, forKey: .interrupts)
    try values.encode(timer, forKey: .timer)
    try values.encode(timerDevice, forKey: .timerDevice)
  }

  /// The guest while it has nothing to do.
  struct Idle: Sendable, Codable {
    var seconds: Double
    var ticks: Int
    var exits: Int
    var exitsPerTick: Double
    var exitsByReason: [String: Int]
  }

  struct WholeRun: Sendable, Codable {
    var seconds: Double
    var exits: Int
    var exitsByReason: [String: Int]
  }

  /// The host itself.
  init(bare cyclictest: Cyclictest, timerDevice: String? = nil) {
    self.cyclictest = cyclictest
    self.timerDevice = timerDevice
  }

  /// A guest, whose /init sets the marks (see `GuestImage`).
  init(_ run: GuestRun) throws(LabError) {
    guard let cyclictest = run.cyclictest, let vcpu = run.vcpus.first,
      let measured = run.interval(from: "begin", to: "end"),
      let idle = run.interval(from: "idle-begin", to: "idle-end"),
      let ticks = measured.ticks, let idleTicks = idle.ticks, idleTicks > 0
    else {
      throw .malformed(file: "the report of apus run", reason: "lacks marks: \(run.message)")
    }
    self.cyclictest = cyclictest
    self.ticks = ticks
    exits = measured.exits
    exitsPerTick = measured.exitsPerTick
    exitsByReason = measured.exitsByReason
    self.idle = Idle(
      seconds: GuestRun.seconds(idle.durationNs), ticks: idleTicks, exits: idle.exits,
      exitsPerTick: Double(idle.exits) / Double(idleTicks), exitsByReason: idle.exitsByReason)
    userSpaceSeconds = run.userSpaceSeconds
    wholeRun = WholeRun(
      seconds: GuestRun.seconds(run.elapsedNs), exits: run.exits, exitsByReason: run.exitsByReason)
    apicMode = vcpu.apicMode
    interrupts = vcpu.interrupts
    timer = vcpu.timer
  }
}
