// SPDX-License-Identifier: Apache-2.0
import Contract

/// A vCPU's trace, as the driver gives it one and a client reads it.
@safe struct Trace {
  private let pages = Memory.area(order: APUS_TRACE_ORDER)

  init() { unsafe header.pointee.next = APUS_TRACE_FIRST }

  private var header: UnsafeMutablePointer<apus_trace> {
    unsafe pages.structure(apus_trace.self, at: 0)
  }

  func begin(_ vcpu: VirtualCPU) throws(Failure) {
    unsafe vcpu.control.pointee.trace = pages.address
    unsafe storeRelease(&vcpu.control.pointee.traces, 1)
    try vcpu.request(APUS_REQUEST_TRACE)
  }

  func end(_ vcpu: VirtualCPU) throws(Failure) {
    unsafe storeRelease(&vcpu.control.pointee.traces, 0)
    try vcpu.request(APUS_REQUEST_TRACE)
  }

  /// Events that were written.
  var count: UInt64 { pages.word(at: 0) }

  subscript(_ number: UInt64) -> apus_trace_event {
    pages.load(at: Int(APUS_TRACE_FIRST) + Int(number % UInt64(APUS_TRACE_EVENTS)) * 32)
  }

  /// Events of a kind, and of exits those of a cause, among those that are kept.
  func count(of kind: apus_trace_kind, cause: apus_trace_exit? = nil) -> UInt64 {
    var found: UInt64 = 0
    let count = count
    for number in (count - min(count, UInt64(APUS_TRACE_EVENTS)))..<count {
      let event = self[number]
      guard event.kind == kind.rawValue else { continue }
      if let cause, event.cause != cause.rawValue { continue }
      found += 1
    }
    return found
  }
}
