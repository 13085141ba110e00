// SPDX-License-Identifier: Apache-2.0
import Contract
import Foundation
import Testing

@testable import KVM
@testable import Machine

@Suite("A guest's trace", .timeLimit(.minutes(2)))
struct TraceTests {
  private let temporary = TemporaryDirectory()
  private let guest = PretendedGuest()

  /// One millisecond is 1000 ticks.
  private static let batch = TraceBatch(
    virtualCPU: 1, lost: 0, frequency: 1000,
    events: [
      TraceEvent(time: 5000, kind: APUS_TRACE_BEGIN.rawValue, detail: 3),
      TraceEvent(time: 5010, kind: APUS_TRACE_ENTRY.rawValue, place: 0x1000, detail: 0x8000_0030),
      TraceEvent(
        time: 6010, kind: APUS_TRACE_EXIT.rawValue, cause: APUS_TRACE_EXIT_MSR_WRITE.rawValue,
        place: 0x1002, detail: 0x830),
      TraceEvent(time: 6012, kind: APUS_TRACE_ENTRY.rawValue, place: 0x1004),
      TraceEvent(
        time: 6112, kind: APUS_TRACE_EXIT.rawValue, cause: APUS_TRACE_EXIT_PORT.rawValue,
        place: 0x1004, detail: 0x3f8 << 16 | 8),
      TraceEvent(time: 6113, kind: APUS_TRACE_CLIENT.rawValue, cause: 2),
      TraceEvent(time: 6213, kind: APUS_TRACE_RUN.rawValue),
      TraceEvent(
        time: 6214, kind: APUS_TRACE_REQUEST.rawValue,
        cause: APUS_REQUEST_EXIT.rawValue | APUS_REQUEST_TRACE.rawValue),
    ])

  @Test("is the same after its way through a socket, in whatever pieces it comes")
  func coding() {
    let bytes = Self.batch.bytes + Self.batch.bytes
    var rest: ArraySlice<UInt8> = []
    var found: [TraceBatch] = []
    for byte in bytes {
      rest.append(byte)
      while let batch = TraceBatch(takingFrom: &rest) { found.append(batch) }
    }
    #expect(found == [Self.batch, Self.batch])
    #expect(rest.isEmpty)
  }

  @Test("comes while somebody asks for it, with what was written before the guest's end")
  func session() throws {
    let image = try LinuxImage(KernelFile().bytes)
    let loader = try BootLoader(image: image, commandLine: "", initrd: [], memorySize: 64 << 20)
    let server = try ControlServer(
      "one", in: temporary.runtime,
      for: GuestConfiguration(
        device: "/dev/apus", cpus: [2, 3], memorySize: 64 << 20, loader: loader, console: false))
    server.attach(guest)
    let connection = try RunningGuests(in: temporary.runtime).connect(to: "one")
    guest.traced.withLock { $0 = [Self.batch] }
    var found: [TraceBatch] = []
    try connection.trace(until: .now + .seconds(60)) { batch in
      found.append(batch)
      if found.count == 1 {
        guest.traced.withLock { $0 = [Self.batch] }
        server.detach()
        server.close(nil)
      }
      return true
    }
    #expect(found == [Self.batch, Self.batch])
    #expect(guest.asked.first == "trace")
  }

  @Test("ends when nobody asks for it any longer")
  func end() throws {
    let image = try LinuxImage(KernelFile().bytes)
    let loader = try BootLoader(image: image, commandLine: "", initrd: [], memorySize: 64 << 20)
    let server = try ControlServer(
      "one", in: temporary.runtime,
      for: GuestConfiguration(
        device: "/dev/apus", cpus: [2], memorySize: 64 << 20, loader: loader, console: false))
    server.attach(guest)
    try RunningGuests(in: temporary.runtime).connect(to: "one")
      .trace(until: .now + .milliseconds(20)) { _ in true }
    #expect(guest.comesToBeAsked(["trace", "no trace"]))
    server.close(nil)
  }

  @Test("has a line for each event, with times in microseconds")
  func text() {
    var text = TraceText()
    let lines = text.lines(of: Self.batch)
    #expect(lines.count == 8)
    #expect(lines[0] == "   1           0.000      0.000  begin    on CPU 3")
    #expect(lines[1] == "   1          10.000     10.000  entry    interrupt 48, at 0x1000")
    #expect(lines[2] == "   1        1010.000   1000.000  exit     msr-write, MSR 0x830, at 0x1002")
    #expect(lines[4].hasSuffix("exit     port, in 0x3f8, at 0x1004"))
    #expect(lines[5].hasSuffix("client   io"))
    #expect(lines[7].hasSuffix("request  exit+trace"))
    var lost = Self.batch
    lost.lost = 7
    #expect(text.lines(of: lost)[0].contains("7 events were lost"))
  }

  @Test(
    "for Perfetto has the guest's time, each exit and the client's part as slices, one after another"
  )
  func perfetto() throws {
    var trace = PerfettoTrace(name: "one")
    trace.add(Self.batch)
    struct File: Decodable {
      var traceEvents: [Event]
      struct Event: Decodable {
        var name: String
        var ph: String
        var ts: Double?
        var dur: Double?
        var tid: Int
      }
    }
    let file = try JSONDecoder().decode(File.self, from: Data(trace.text.utf8))
    let slices = file.traceEvents.filter { $0.ph == "X" }.sorted { ($0.ts ?? 0) < ($1.ts ?? 0) }
    #expect(slices.map(\.name) == ["guest", "msr-write", "guest", "port", "client: io"])
    #expect(slices.map(\.dur) == [1000, 2, 100, 1, 100])
    for (one, next) in zip(slices, slices.dropFirst()) {
      #expect((one.ts ?? 0) + (one.dur ?? 0) <= (next.ts ?? 0))
    }
    #expect(file.traceEvents.contains { $0.ph == "M" && $0.name == "thread_name" && $0.tid == 1 })
  }

  @Test("for programs is a line of JSON an event, and one for what was lost")
  func lines() {
    var batch = Self.batch
    batch.lost = 2
    batch.events = [Self.batch.events[2]]
    #expect(
      TraceLine.lines(of: batch) == [
        #"{"lost":2,"vcpu":1}"#,
        #"{"cause":"msr-write","detail":2096,"kind":"exit","place":4098,"tsc":6010,"vcpu":1}"#,
      ])
  }

  @Test("has a name for every kind and every cause that the monitor writes")
  func names() {
    for kind in 0..<APUS_TRACE_COUNT.rawValue {
      #expect(TraceEvent(time: 0, kind: kind).kindName != "?")
    }
    for cause in 0..<APUS_TRACE_EXIT_COUNT.rawValue {
      #expect(
        TraceEvent(time: 0, kind: APUS_TRACE_EXIT.rawValue, cause: cause).causeName != "?")
    }
  }
}
