// SPDX-License-Identifier: Apache-2.0
import Figures

/// A trace for people: a line an event, as it comes.
///
///     VCPU  MICROSECONDS  SINCE-THE-LAST  KIND  CAUSE  PLACE  DETAIL
public struct TraceText {
  private var start: UInt64?
  private var last: [Int: UInt64] = [:]

  public init() {}

  public static let heading = "VCPU            µs      SINCE  EVENT    WHAT"

  public mutating func lines(of batch: TraceBatch) -> [String] {
    var lines: [String] = []
    if batch.lost > 0 {
      lines.append(
        "\(Text.right("\(batch.virtualCPU)", 4))  \(batch.lost) events were lost: the trace was overwritten"
      )
    }
    let microseconds = { (ticks: UInt64) in Double(ticks) * 1000 / Double(max(batch.frequency, 1)) }
    for event in batch.events {
      let begin = start ?? event.time
      start = begin
      // Another vCPU's events may be older than the first that came.
      let time =
        event.time >= begin
        ? microseconds(event.time - begin) : -microseconds(begin - event.time)
      // A vCPU that went to another CPU may find an older counter there.
      let since =
        last[batch.virtualCPU].map { event.time > $0 ? microseconds(event.time - $0) : 0 } ?? 0
      last[batch.virtualCPU] = event.time
      lines.append(
        [
          Text.right("\(batch.virtualCPU)", 4), Text.right(Text.decimal(time, places: 3), 14),
          Text.right(Text.decimal(since, places: 3), 9), Text.left(event.kindName, 7),
          words(event),
        ].joined(separator: "  "))
    }
    return lines
  }

  private func words(_ event: TraceEvent) -> String {
    var words = [event.causeName, event.detailName].filter { !$0.isEmpty }
    if ["entry", "exit"].contains(event.kindName) {
      words.append("at \(TraceEvent.hexadecimal(event.place))")
    }
    return words.joined(separator: ", ")
  }
}

/// An event for programs, on a line.
public struct TraceLine: Encodable {
  let vcpu: Int
  let tsc: UInt64
  let kind: String
  let cause: String
  let place: UInt64
  let detail: UInt64

  public static func lines(of batch: TraceBatch) -> [String] {
    var lines =
      batch.lost == 0 ? [] : [JSON.line(Lost(vcpu: batch.virtualCPU, lost: batch.lost))]
    lines += batch.events.map {
      JSON.line(
        TraceLine(
          vcpu: batch.virtualCPU, tsc: $0.time, kind: $0.kindName, cause: $0.causeName,
          place: $0.place, detail: $0.detail))
    }
    return lines
  }

  private struct Lost: Encodable {
    let vcpu: Int
    let lost: UInt64
  }
}
