// SPDX-License-Identifier: Apache-2.0
import Figures

/// A run's result as programs read it. Times are nanoseconds since the guest's first instruction,
/// delays of cyclictest microseconds; what is not known is null.
public struct JSONReport: Encodable {
  /// Of the format: it grows when a member changes its meaning or goes.
  let version = 2
  let device: String
  let hypervisor: Hypervisor
  let outcome: String
  let message: String
  let exitStatus: Int32
  let elapsedNs: Int64
  @OrNull var userSpaceNs: Int64?
  let exits: UInt64
  /// Reasons that never occurred are there too, as 0.
  let exitsByReason: [String: UInt64]
  let vcpus: [VirtualCPU]
  let marks: [Mark]
  let intervals: [Interval]
  @OrNull var cyclictest: Cyclictest?
  let lines: [String]
  let files: [String: [String]]
  let droppedLines: Int
  @OrNull var failure: Failure?

  public init(_ result: RunResult) {
    let report = result.report
    device = result.device
    hypervisor = result.hypervisor
    outcome = result.outcome.name
    message = "\(result.outcome)"
    exitStatus = result.outcome.exitStatus
    elapsedNs = result.elapsed.nanoseconds
    userSpaceNs = report.firstLine?.nanoseconds
    exits = result.exits.total
    exitsByReason = result.exits.byCause
    vcpus = result.virtualCPUs.map(VirtualCPU.init)
    marks = report.marks.map(Mark.init)
    intervals = report.intervals.map(Interval.init)
    cyclictest = report.cyclictest
    lines = report.lines
    files = Dictionary(
      report.files.map { ($0.name, $0.lines) }, uniquingKeysWith: { first, _ in first })
    droppedLines = report.droppedLines
    failure = result.outcome.failure.map(Failure.init)
  }
}

extension JSONReport {
  struct VirtualCPU: Encodable {
    let id: Int
    @OrNull var cpu: Int?
    let apicMode: VirtualCPUResult.APICMode
    let interrupts: VirtualCPUResult.Mode
    let timer: VirtualCPUResult.Mode
    let exits: UInt64
    let exitsByReason: [String: UInt64]
    @OrNull var lent: VirtualCPUResult.LentTime?

    init(_ result: VirtualCPUResult) {
      id = result.id
      cpu = result.cpu
      apicMode = result.apic
      interrupts = result.interrupts
      timer = result.timer
      exits = result.exits.total
      exitsByReason = result.exits.byCause
      lent = result.lent
    }
  }

  struct Mark: Encodable {
    let name: String
    let timeNs: Int64
    let values: [String: String]
    let exits: UInt64
    let exitsByReason: [String: UInt64]

    init(_ mark: Machine.Mark) {
      name = mark.name
      timeNs = mark.before.time.nanoseconds
      values = Dictionary(
        mark.values.map { ($0.key, $0.text) }, uniquingKeysWith: { first, _ in first })
      exits = mark.before.exits.total
      exitsByReason = mark.before.exits.byCause
    }
  }

  struct Interval: Encodable {
    let from: String
    let to: String
    let durationNs: Int64
    @OrNull var ticks: UInt64?
    let exits: UInt64
    let exitsByReason: [String: UInt64]
    @OrNull var exitsPerTick: Double?

    init(_ interval: Machine.Interval) {
      from = interval.from
      to = interval.to
      durationNs = interval.duration.nanoseconds
      ticks = interval.ticks
      exits = interval.exits.total
      exitsByReason = interval.exits.byCause
      exitsPerTick = interval.exitsPerTick?.roundedToThousandths
    }
  }

  /// Numbers as hexadecimal text: JSON's have 53 bits in many readers.
  struct Failure: Encodable {
    let vcpu: UInt32
    let reason: String
    let registers: [String: String]
    let lastExits: [LastExit]

    struct LastExit: Encodable {
      let code: String
      let rip: String
      let information: String
    }

    init(_ failure: GuestFailure) {
      vcpu = failure.virtualCPU
      reason = failure.reason
      registers = Dictionary(
        failure.registers.map { ($0.name, hexadecimal($0.value)) },
        uniquingKeysWith: { first, _ in first })
      lastExits = failure.lastExits.map {
        LastExit(
          code: hexadecimal($0.code), rip: hexadecimal($0.instructionPointer),
          information: hexadecimal($0.information))
      }
    }
  }
}

extension Duration {
  var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
  }

  var seconds: Double { Double(nanoseconds) / 1e9 }
}
