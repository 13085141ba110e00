// SPDX-License-Identifier: Apache-2.0
import Contract
import Figures

/// A trace that Perfetto (ui.perfetto.dev) and Chrome open: the Trace Event Format's JSON. Each vCPU is a
/// track, on which the guest's time, each exit with its cause, and the client's part follow one another.
public struct PerfettoTrace {
  private let name: String
  private var first: UInt64?
  private var entries: [Entry] = []
  /// What lasts on each track: since when, and what.
  private var open: [Int: Entry] = [:]

  public init(name: String) { self.name = name }

  private struct Entry: Encodable {
    var name: String
    /// X: lasts for `dur`; i: a moment; M: a name.
    var ph: String
    /// Microseconds, as `dur`.
    var ts: Double?
    var dur: Double?
    var pid = 1
    var tid: Int
    var s: String?
    var args: [String: String] = [:]
  }

  public mutating func add(_ batch: TraceBatch) {
    let track = batch.virtualCPU
    if !entries.contains(where: { $0.ph == "M" && $0.tid == track }) {
      entries.append(
        Entry(name: "thread_name", ph: "M", tid: track, args: ["name": "vCPU \(track)"]))
    }
    if batch.lost > 0 {
      // What was under way then may have ended since.
      open[track] = nil
      if let time = batch.events.first.map({ microseconds($0.time, batch) }) {
        entries.append(
          Entry(name: "\(batch.lost) events lost", ph: "i", ts: time, tid: track, s: "t"))
      }
    }
    for event in batch.events { add(event, batch) }
  }

  private mutating func add(_ event: TraceEvent, _ batch: TraceBatch) {
    let time = microseconds(event.time, batch)
    let track = batch.virtualCPU
    var args = ["at": TraceEvent.hexadecimal(event.place)]
    if !event.detailName.isEmpty { args["detail"] = event.detailName }
    switch apus_trace_kind(event.kind) {
    case APUS_TRACE_ENTRY:
      close(track, at: time)
      if !event.causeName.isEmpty { args["injected"] = event.causeName }
      open[track] = Entry(name: "guest", ph: "X", ts: time, tid: track, args: args)
    case APUS_TRACE_EXIT:
      close(track, at: time)
      open[track] = Entry(name: event.causeName, ph: "X", ts: time, tid: track, args: args)
    case APUS_TRACE_CLIENT:
      close(track, at: time)
      open[track] = Entry(name: "client: \(event.causeName)", ph: "X", ts: time, tid: track)
    case APUS_TRACE_RUN:
      close(track, at: time)
    default:
      entries.append(
        Entry(
          name: "\(event.kindName) \(event.causeName)", ph: "i", ts: time, tid: track, s: "t",
          args: args))
    }
  }

  private mutating func close(_ track: Int, at time: Double) {
    guard var entry = open.removeValue(forKey: track) else { return }
    entry.dur = max(0, (time - (entry.ts ?? time)).roundedToThousandths)
    entries.append(entry)
  }

  /// Since the first event that came.
  private mutating func microseconds(_ time: UInt64, _ batch: TraceBatch) -> Double {
    let begin = first ?? time
    first = begin
    let ticks = Double(Int64(bitPattern: time &- begin))
    return (ticks * 1000 / Double(max(batch.frequency, 1))).roundedToThousandths
  }

  private struct File: Encodable {
    let traceEvents: [Entry]
    let displayTimeUnit = "ns"
  }

  /// The whole file.
  public var text: String {
    let process = Entry(name: "process_name", ph: "M", tid: 0, args: ["name": "apus: \(name)"])
    return JSON.foreignText(File(traceEvents: [process] + entries))
  }
}
