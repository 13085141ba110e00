// SPDX-License-Identifier: Apache-2.0
import Contract

/// `struct apus_trace_event`: something that a lent CPU did for its vCPU.
public struct TraceEvent: Equatable, Sendable {
  /// TSC.
  public var time: UInt64
  public var kind: UInt32
  public var cause: UInt32
  public var place: UInt64
  public var detail: UInt64

  init(time: UInt64, kind: UInt32, cause: UInt32 = 0, place: UInt64 = 0, detail: UInt64 = 0) {
    (self.time, self.kind, self.cause, self.place, self.detail) = (time, kind, cause, place, detail)
  }

  init(_ event: apus_trace_event) {
    self.init(
      time: event.tsc, kind: event.kind, cause: event.cause, place: event.rip, detail: event.detail)
  }

  /// `entry`, `exit` and so on.
  public var kindName: String { String(cString: apus_trace_name(kind)) }

  /// What it is about, in the words of a report; empty where the kind says all.
  public var causeName: String {
    switch apus_trace_kind(kind) {
    case APUS_TRACE_EXIT: String(cString: apus_trace_exit_name(cause))
    case APUS_TRACE_CLIENT: Self.clientReasons[cause] ?? "reason \(cause)"
    case APUS_TRACE_REQUEST: Self.requests(cause) + (detail == 0 ? "" : " of another vCPU")
    case APUS_TRACE_MODE: "\(Self.mode(of: cause)), \(Self.activity(detail))"
    case APUS_TRACE_ENTRY: detail == 0 ? "" : Self.injection(detail)
    case APUS_TRACE_TIMER:
      place == 0 ? "off" : detail == 0 ? "once" : "every \(detail) ticks"
    case APUS_TRACE_BEGIN: "on CPU \(detail)"
    default: ""
    }
  }

  /// What an exit's `detail` is.
  public var detailName: String {
    guard kind == APUS_TRACE_EXIT.rawValue else { return "" }
    switch apus_trace_exit(cause) {
    case APUS_TRACE_EXIT_NMI, APUS_TRACE_EXIT_CPUID, APUS_TRACE_EXIT_HLT: return ""
    case APUS_TRACE_EXIT_EXCEPTION: return "vector \(detail)"
    case APUS_TRACE_EXIT_NESTED_FAULT: return "address \(Self.hexadecimal(detail))"
    case APUS_TRACE_EXIT_MSR_READ, APUS_TRACE_EXIT_MSR_WRITE:
      return "MSR \(Self.hexadecimal(detail))"
    case APUS_TRACE_EXIT_PORT:
      return (detail & 8 != 0 ? "in " : "out ") + Self.hexadecimal(detail >> 16)
    default: return "code \(Self.hexadecimal(detail))"
    }
  }

  static func hexadecimal(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }

  private static let clientReasons: [UInt32: String] = [
    2: "io", 4: "debug", 5: "hlt", 6: "mmio", 7: "interrupt-window", 8: "shutdown",
    9: "fail-entry", 10: "interrupted", 17: "internal-error", 26: "ioapic-eoi",
  ]

  /// enum apus_request, by bit.
  private static let requestNames = [
    "exit", "memory", "lines", "nmi", "clock", "second-nmi", "levels", "trace",
  ]

  private static func requests(_ bits: UInt32) -> String {
    requestNames.indices.filter { bits & 1 << UInt32($0) != 0 }.map { requestNames[$0] }
      .joined(separator: "+")
  }

  private static func mode(of apic: UInt32) -> String {
    switch apus_apic_mode(apic) {
    case APUS_APIC_X2APIC: "x2apic"
    case APUS_APIC_XAPIC: "xapic"
    default: "apic off"
    }
  }

  private static func activity(_ state: UInt64) -> String {
    switch state {
    case 0: "running"
    case 1: "uninitialized"
    case 2: "waits for SIPI"
    default: "state \(state)"
    }
  }

  /// SDM vol. 3, 26.8.3.
  private static func injection(_ information: UInt64) -> String {
    let vector = information & 0xff
    switch information >> 8 & 7 {
    case 0: return "interrupt \(vector)"
    case 2: return "nmi"
    case 3: return "exception \(vector)"
    default: return "software interrupt \(vector)"
    }
  }
}

/// Events of one vCPU, in their order, on their way from the guest's process.
public struct TraceBatch: Equatable, Sendable {
  public var virtualCPU: Int
  /// Events before these that were overwritten before anybody read them.
  public var lost: UInt64
  /// kHz of the TSC.
  public var frequency: UInt32
  public var events: [TraceEvent]

  private static let headerSize = 24
  private static let eventSize = 32

  /// Little-endian: vCPU, kHz, lost, number of events; then each event.
  var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.headerSize + events.count * Self.eventSize)
    func add<Value: FixedWidthInteger>(_ value: Value) {
      withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }
    add(UInt32(virtualCPU))
    add(frequency)
    add(lost)
    add(UInt64(events.count))
    for event in events {
      add(event.time)
      add(event.kind)
      add(event.cause)
      add(event.place)
      add(event.detail)
    }
    return bytes
  }

  /// Takes the first batch out of `bytes`; nil if it is not there as a whole.
  init?(takingFrom bytes: inout ArraySlice<UInt8>) {
    func word<Value: FixedWidthInteger>(_ offset: Int, of slice: ArraySlice<UInt8>) -> Value {
      let start = slice.startIndex + offset
      return slice[start..<start + MemoryLayout<Value>.size].reversed()
        .reduce(0) { $0 << 8 | Value($1) }
    }
    guard bytes.count >= Self.headerSize else { return nil }
    let count: UInt64 = word(16, of: bytes)
    guard count <= 1 << 20,
      bytes.count >= Self.headerSize + Int(count) * Self.eventSize
    else { return nil }
    virtualCPU = Int(word(0, of: bytes) as UInt32)
    frequency = word(4, of: bytes)
    lost = word(8, of: bytes)
    events = (0..<Int(count)).map { number in
      let offset = Self.headerSize + number * Self.eventSize
      return TraceEvent(
        time: word(offset, of: bytes), kind: word(offset + 8, of: bytes),
        cause: word(offset + 12, of: bytes), place: word(offset + 16, of: bytes),
        detail: word(offset + 24, of: bytes))
    }
    bytes = bytes.dropFirst(Self.headerSize + Int(count) * Self.eventSize)
  }

  init(virtualCPU: Int, lost: UInt64, frequency: UInt32, events: [TraceEvent]) {
    self.virtualCPU = virtualCPU
    self.lost = lost
    self.frequency = frequency
    self.events = events
  }
}
