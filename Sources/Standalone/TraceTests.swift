// SPDX-License-Identifier: Apache-2.0
import Contract

/// What the monitor writes of a vCPU, and that it does so only while it is asked to.
enum TraceTests {
  static var all: [Test] {
    [
      Test("trace") { bench throws(Failure) in
        let vcpu = try bench.guest("cpuid")
        let trace = Trace()
        try trace.begin(vcpu)
        try vcpu.runToEnd()
        try expect(
          "exits for CPUID", trace.count(of: APUS_TRACE_EXIT, cause: APUS_TRACE_EXIT_CPUID),
          vcpu.exits(APUS_EXIT_CPUID))
        // The END.
        try expect(
          "exits for a port", trace.count(of: APUS_TRACE_EXIT, cause: APUS_TRACE_EXIT_PORT), 1)
        try expect("client", trace.count(of: APUS_TRACE_CLIENT), 1)
        try order(trace)
      },
      Test("trace-on-and-off") { bench throws(Failure) in
        let vcpu = try bench.guest("spin")
        let trace = Trace()
        try vcpu.startRunning()
        try vcpu.awaitResult(0, above: 0)
        try expect("events", trace.count, 0)
        for _ in 0..<3 {
          let before = trace.count
          try trace.begin(vcpu)
          guard Clock.wait({ trace.count >= before + 2 }) else { throw .timeout("events") }
          try vcpu.bound().kick()
          guard Clock.wait({ trace.count >= before + 4 }) else { throw .timeout("a kick's events") }
          try trace.end(vcpu)
          // The request is an event too, and the last one.
          guard Clock.wait({ unsafe loadAcquire(&vcpu.control.pointee.requests) == 0 }) else {
            throw .timeout("the end of a trace")
          }
          try vcpu.awaitResult(0, above: vcpu.machine.result(0))
          let after = trace.count
          try expect("kind", UInt64(trace[after - 1].kind), UInt64(APUS_TRACE_REQUEST.rawValue))
          try vcpu.bound().kick()
          try vcpu.awaitResult(0, above: vcpu.machine.result(0))
          try expect("events", trace.count, after)
        }
        try expect("begins", trace.count(of: APUS_TRACE_BEGIN), 3)
        try order(trace)
        try vcpu.request(APUS_REQUEST_EXIT)
        guard case .interrupted = try vcpu.finishRunning() else { throw .timeout("-EINTR") }
      },
      // More events than there is room for: the newest ones are kept, and all are counted.
      Test("trace-wraps") { bench throws(Failure) in
        let vcpu = try bench.guest("spin")
        let trace = Trace()
        try trace.begin(vcpu)
        try vcpu.startRunning()
        try vcpu.awaitResult(0, above: 0)
        while trace.count < UInt64(APUS_TRACE_EVENTS) + 100 {
          let before = trace.count
          try vcpu.bound().kick()
          guard Clock.wait({ trace.count > before }) else { throw .timeout("a kick's events") }
        }
        try vcpu.request(APUS_REQUEST_EXIT)
        guard case .interrupted = try vcpu.finishRunning() else { throw .timeout("-EINTR") }
        try expect("begins", trace.count(of: APUS_TRACE_BEGIN), 0)
        try order(trace)
        try expect(
          "kind", UInt64(trace[trace.count - 1].kind), UInt64(APUS_TRACE_CLIENT.rawValue))
      },
      // It is where it was after the vCPU has left, and goes on when that comes back.
      Test("trace-outlives-binding") { bench throws(Failure) in
        let vcpu = try bench.guest("keeps-state")
        let trace = Trace()
        try trace.begin(vcpu)
        try vcpu.runToStep()
        let before = trace.count
        guard before > 0 else { throw .timeout("events") }
        try vcpu.unbind()
        try expect("events", trace.count, before)
        try vcpu.bind(to: bench.cpus[0])
        try expect("events", trace.count, before + 1)
        try expect("kind", UInt64(trace[before].kind), UInt64(APUS_TRACE_BEGIN.rawValue))
      },
    ]
  }

  /// Times grow, each entry is followed by its exit, and each exit has an entry before it.
  private static func order(_ trace: Trace) throws(Failure) {
    let count = trace.count
    var last: UInt64 = 0
    var isEntered = false
    for number in (count - min(count, UInt64(APUS_TRACE_EVENTS)))..<count {
      let event = trace[number]
      guard event.tsc > last else { throw .value("a time", is: event.tsc, expected: last + 1) }
      last = event.tsc
      if isEntered {
        try expect("after an entry", UInt64(event.kind), UInt64(APUS_TRACE_EXIT.rawValue))
      }
      isEntered = event.kind == APUS_TRACE_ENTRY.rawValue
    }
  }
}
