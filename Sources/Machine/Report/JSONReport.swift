// SPDX-License-Identifier: Apache-2.0

/// A run's result as programs read it. Times are nanoseconds since the guest's first instruction,
/// delays of cyclictest microseconds; what is not known is null.
public struct JSONReport {
  public let value: JSON

  /// Of the format: it grows when a member changes its meaning or goes.
  static let version = 2

  public init(_ result: RunResult) {
    let report = result.report
    value = .object([
      .init("version", .count(Self.version)),
      .init("device", .string(result.device)),
      .init("hypervisor", .string(result.isApus ? "apus" : "kvm")),
      .init("outcome", .string(result.outcome.name)),
      .init("message", .string("\(result.outcome)")),
      .init("exit_status", .count(result.outcome.exitStatus)),
      .init("elapsed_ns", .count(result.elapsed.nanoseconds)),
      .init("user_space_ns", .optional(report.firstLine) { .count($0.nanoseconds) }),
      .init("exits", .count(result.exits.total)),
      .init("exits_by_reason", Self.reasons(result.exits)),
      .init("vcpus", .array(result.virtualCPUs.map(Self.virtualCPU))),
      .init("marks", .array(report.marks.map(Self.mark))),
      .init("intervals", .array(report.intervals.map(Self.interval))),
      .init("cyclictest", .optional(report.cyclictest, Self.cyclictest)),
      .init("lines", .array(report.lines.map(JSON.string))),
      .init(
        "files",
        .object(report.files.map { .init($0.name, .array($0.lines.map(JSON.string))) })),
      .init("dropped_lines", .count(report.droppedLines)),
      .init("failure", .optional(result.outcome.failure, Self.failure)),
    ])
  }

  /// Reasons that never occurred are there too, as 0.
  static func reasons(_ exits: ExitCounts) -> JSON {
    .object(exits.byCause.map { .init($0.name, .count($0.count)) })
  }

  private static func virtualCPU(_ cpu: VirtualCPUResult) -> JSON {
    .object([
      .init("id", .count(cpu.id)),
      .init("cpu", .optional(cpu.cpu) { .count($0) }),
      .init("apic_mode", .string(cpu.apic.rawValue)),
      .init("interrupts", mode(cpu.interrupts)),
      .init("timer", mode(cpu.timer)),
      .init("exits", .count(cpu.exits.total)),
      .init("exits_by_reason", reasons(cpu.exits)),
      .init(
        "lent",
        .optional(cpu.lent) { lent in
          .object([
            .init("entries", .count(lent.entries)),
            .init("guest_cycles", .count(lent.guestCycles)),
            .init("interrupts_sent", .count(lent.interruptsSent)),
            .init("kicks", .count(lent.kicks)),
          ])
        }),
    ])
  }

  static func mode(_ mode: VirtualCPUResult.Mode) -> JSON {
    .object([.init("mode", .string(mode.name)), .init("reason", .string(mode.reason))])
  }

  private static func mark(_ mark: Mark) -> JSON {
    .object([
      .init("name", .string(mark.name)),
      .init("time_ns", .count(mark.before.time.nanoseconds)),
      .init("values", .object(mark.values.map { .init($0.key, .string($0.text)) })),
      .init("exits", .count(mark.before.exits.total)),
      .init("exits_by_reason", reasons(mark.before.exits)),
    ])
  }

  private static func interval(_ interval: Interval) -> JSON {
    .object([
      .init("from", .string(interval.from)),
      .init("to", .string(interval.to)),
      .init("duration_ns", .count(interval.duration.nanoseconds)),
      .init("ticks", .optional(interval.ticks) { .count($0) }),
      .init("exits", .count(interval.exits.total)),
      .init("exits_by_reason", reasons(interval.exits)),
      .init("exits_per_tick", .optional(interval.exitsPerTick) { .decimal($0) }),
    ])
  }

  private static func cyclictest(_ test: Cyclictest) -> JSON {
    .object([
      .init("wake_ups", .count(test.wakeUps)),
      .init("min", .count(test.minimum)),
      .init("avg", .count(test.average)),
      .init("max", .count(test.maximum)),
      .init("overflows", .count(test.overflows)),
      .init("histogram", .object(test.histogram.map { .init("\($0.delay)", .count($0.count)) })),
    ])
  }

  /// Numbers as hexadecimal text: JSON's have 53 bits in many readers.
  private static func failure(_ failure: GuestFailure) -> JSON {
    .object([
      .init("vcpu", .count(failure.virtualCPU)),
      .init("reason", .string(failure.reason)),
      .init(
        "registers",
        .object(failure.registers.map { .init($0.name, .string(hexadecimal($0.value))) })),
      .init(
        "last_exits",
        .array(
          failure.lastExits.map {
            .object([
              .init("code", .string(hexadecimal($0.code))),
              .init("rip", .string(hexadecimal($0.instructionPointer))),
              .init("information", .string(hexadecimal($0.information))),
            ])
          })),
    ])
  }
}

extension Duration {
  var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
  }

  var seconds: Double { Double(nanoseconds) / 1e9 }
}
