// SPDX-License-Identifier: Apache-2.0
import Glibc

/// `apus latency`: the same loop on the host and in a guest of some hundred bytes, on the same CPU one after the
/// other.
public struct LatencyRun: Sendable {
  public var cpu: Int
  public var device: String
  /// Of each way.
  public var duration: Duration
  /// Nanoseconds from one wake-up to the next.
  public var interval: UInt64
  /// In their order.
  public var ways: [LatencyColumn.Way]

  public init(
    cpu: Int, device: String, duration: Duration, interval: UInt64, ways: [LatencyColumn.Way]
  ) {
    self.cpu = cpu
    self.device = device
    self.duration = duration
    self.interval = interval
    self.ways = ways
  }

  /// `watch` sees the figures so far some times a second; false from it ends the measurement early.
  public func run(
    _ watch: (LatencyColumn) -> Bool
  ) throws(SetupError) -> LatencyReport {
    let surroundings = LatencySurroundings(cpu: cpu)
    var columns: [LatencyColumn] = []
    for way in ways { columns.append(try measure(way, watch)) }
    return LatencyReport(
      interval: interval, surroundings: surroundings, columns: columns)
  }

  private func measure(
    _ way: LatencyColumn.Way, _ watch: (LatencyColumn) -> Bool
  ) throws(SetupError) -> LatencyColumn {
    var column = LatencyColumn(way: way, cpu: cpu, timer: "", figures: LatencyFigures())
    let before = LatencySurroundings.managementInterrupts(ofCPU: 0)
    switch way {
    case .host:
      let timer = HostTimer(cpu: cpu, interval: interval)
      let thread = try Self.start { timer.run() }
      column.timer = "clock_nanosleep"
      follow(&column, watch) { timer.drain() }
      timer.stop()
      thread.stop()
      for sample in timer.drain() { column.figures.add(sample) }
      column.shortcomings = timer.shortcomings
    case .kvm, .apus:
      let machine = try LatencyMachine(
        device: way == .kvm ? "/dev/kvm" : device, cpu: cpu, interval: interval)
      let reference = Held(machine)
      let outcome = Held<RunOutcome?>(nil)
      let thread = try Self.start { outcome.value = reference.value.run().outcome }
      // The guest's start is not what is measured.
      let deadline = ContinuousClock.now + .seconds(10)
      while machine.timer == "none yet", ContinuousClock.now < deadline, outcome.value == nil {
        usleep(1000)
      }
      column.timer = machine.timer
      let exits = machine.exits
      follow(&column, watch) { machine.drain() }
      column.exits = machine.exits - exits
      machine.stop()
      let patience = ContinuousClock.now + .seconds(2)
      while outcome.value == nil, ContinuousClock.now < patience { usleep(1000) }
      if outcome.value == nil { machine.end() }
      thread.stop()
      if machine.isBroken { column.shortcomings.append("the guest took an exception") }
      if machine.lost > 0 { column.shortcomings.append("\(machine.lost) wake-ups were not read") }
      if let end = outcome.value, end != .poweredOff { column.shortcomings.append("\(end)") }
    }
    if column.figures.count == 0 { column.shortcomings.append("nothing woke up") }
    if let before, let after = LatencySurroundings.managementInterrupts(ofCPU: 0) {
      column.managementInterrupts = (after &- before) & 0xffff_ffff
    }
    return column
  }

  private func follow(
    _ column: inout LatencyColumn, _ watch: (LatencyColumn) -> Bool, _ drain: () -> [UInt64]
  ) {
    let end = ContinuousClock.now + duration
    var goesOn = true
    while goesOn, ContinuousClock.now < end {
      usleep(100_000)
      for sample in drain() { column.figures.add(sample) }
      goesOn = watch(column)
    }
  }

  private static func start(_ body: @escaping @Sendable () -> Void) throws(SetupError) -> Thread {
    do {
      return try Thread(body)
    } catch {
      throw .unreadable(path: "a thread", error)
    }
  }

  /// Something that a thread leaves for another one, which waits for its end or looks now and then.
  private final class Held<Value>: @unchecked Sendable {
    var value: Value
    init(_ value: Value) { self.value = value }
  }
}
