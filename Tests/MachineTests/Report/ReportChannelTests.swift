// SPDX-License-Identifier: Apache-2.0
import Synchronization
import Testing

@testable import Machine

@Suite("The report channel")
struct ReportChannelTests {
  /// A channel whose every byte costs one exit, as a serial port's does.
  private final class Guest: Sendable {
    private let exits = Mutex<UInt64>(0)
    private let channel = Mutex<ReportChannel?>(nil)

    init() {
      let channel = ReportChannel { [unowned self] in
        let count = exits.withLock { $0 }
        return Snapshot(
          time: .milliseconds(count), exits: .sample(("io", count)))
      }
      self.channel.withLock { $0 = channel }
    }

    func write(_ text: String) {
      for byte in text.utf8 {
        exits.withLock { $0 += 1 }
        channel.withLock { $0 }?.receive(byte)
      }
    }

    /// Uses the port without sending anything.
    func use() {
      exits.withLock { $0 += 1 }
      channel.withLock { $0 }?.use()
    }

    /// Exits that have nothing to do with the channel.
    func work(_ count: UInt64) { exits.withLock { $0 += count } }

    var report: GuestReport { channel.withLock { $0 }?.report ?? GuestReport() }
  }

  private let guest = Guest()

  @Test("notes a mark before its first byte and after its last")
  func mark() throws {
    guest.work(100)
    guest.write("mark begin ticks=5\n")
    let mark = try #require(guest.report.marks.first)
    #expect(mark.name == "begin")
    #expect(mark.values == [.init(key: "ticks", text: "5")])
    #expect(mark.before.exits.total == 100)
    #expect(mark.after.exits.total == 119)
    #expect(guest.report.firstLine == .milliseconds(101))
  }

  @Test("counts between two marks what is neither's own line")
  func interval() throws {
    guest.write("mark begin ticks=1000\n")
    guest.work(60)
    guest.write("mark end ticks=1020\n")
    let interval = try #require(guest.report.intervals.first)
    #expect(interval.from == "begin")
    #expect(interval.to == "end")
    #expect(interval.exits.total == 60)
    #expect(interval.ticks == 20)
    #expect(interval.exitsPerTick == 3)
  }

  @Test("counts what the port's driver does around a mark's line to neither side")
  func driver() throws {
    guest.use()
    guest.write("mark begin\n")
    for _ in 1...3 { guest.use() }
    guest.work(250)  // a millisecond each: longer than the pause
    for _ in 1...2 { guest.use() }
    guest.write("mark end\n")
    for _ in 1...3 { guest.use() }
    let interval = try #require(guest.report.intervals.first)
    #expect(interval.exits.total == 250)
    let last = try #require(guest.report.marks.last)
    #expect(last.before.exits.total == 265)
    #expect(last.after.exits.total == 279)
  }

  @Test("keeps two marks apart that follow each other closely")
  func close() throws {
    guest.write("mark a\n")
    guest.use()
    guest.write("mark b\n")
    let report = guest.report
    #expect(report.marks.map(\.after.exits.total) == [8, 15])
    #expect(report.marks.map(\.before.exits.total) == [0, 8])
  }

  @Test("has no figure per tick without ticks, or when they stand still or run back")
  func noTicks() {
    for (first, last) in [
      ("", ""), ("ticks=5", ""), ("ticks=5", "ticks=5"), ("ticks=5", "ticks=4"),
    ] {
      let guest = Guest()
      guest.write("mark a \(first)\nmark b \(last)\n")
      #expect(guest.report.intervals.map(\.exitsPerTick) == [nil], "\(first) \(last)")
    }
  }

  @Test("keeps lines that are no marks, and files line by line")
  func lines() {
    guest.write("# Total: 5\r\nmark\nfile log first  line\n\nfile log\nfile\nfile b x\n")
    #expect(guest.report.lines == ["# Total: 5", "mark", "file"])
    #expect(
      guest.report.files == [
        .init(name: "log", lines: ["first  line", ""]), .init(name: "b", lines: ["x"]),
      ])
    #expect(guest.report.marks.isEmpty)
  }

  @Test("says nothing of a line that never ends")
  func unfinished() {
    guest.write("mark half")
    #expect(guest.report == GuestReport())
  }

  @Test("cuts a line at 4,096 bytes, and drops lines beyond 65,536: a guest fills no memory")
  func bounds() {
    guest.write(String(repeating: "x", count: 5000) + "\n")
    #expect(guest.report.lines.first?.utf8.count == 4096)
    guest.write(String(repeating: "y\n", count: 65_540))
    #expect(guest.report.lines.count == 65_536)
    #expect(guest.report.droppedLines == 5)
  }

  @Test("survives bytes that are no text")
  func garbage() {
    let channel = ReportChannel { Snapshot(time: .zero, exits: .none) }
    for byte: UInt8 in [0xff, 0x00, 0xc3, 0x0a] { channel.receive(byte) }
    #expect(channel.report.lines.count == 1)
  }
}

@Suite("A mark")
struct MarkTests {
  private static let snapshot = Snapshot(time: .zero, exits: .none)

  private func mark(_ line: String) -> Mark? {
    Mark(line: line, before: Self.snapshot, after: Self.snapshot)
  }

  @Test("has a name and values; words without a key are passed over")
  func values() {
    let mark = mark("mark  end ticks=12 note=a=b =x y empty=")
    #expect(mark?.name == "end")
    #expect(
      mark?.values == [
        .init(key: "ticks", text: "12"), .init(key: "note", text: "a=b"),
        .init(key: "empty", text: ""),
      ])
    #expect(mark?.number("ticks") == 12)
    #expect(mark?.number("note") == nil)
    #expect(mark?.number("missing") == nil)
  }

  @Test("is no other line", arguments: ["", "mark", "marks x", "Mark x", "x mark y"])
  func others(line: String) { #expect(mark(line) == nil) }
}
