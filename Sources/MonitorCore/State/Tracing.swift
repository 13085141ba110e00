// SPDX-License-Identifier: Apache-2.0
import Contract
import X86

/// Events of a vCPU's trace, struct apus_trace. Nothing of it is asked for while the driver wants none: what an
/// entry does besides lies behind `Attention`, and who else writes events looks at one bit on paths that are
/// rare.
extension VirtualCPU {
  @inline(__always) var isTracing: Bool { state.attention.contains(.tracing) }

  /// Begins or ends, as the driver says.
  @inline(never)
  func followTrace() {
    let trace = control.trace
    guard control.traces != 0, trace != 0 else {
      state.attention.remove(.tracing)
      return
    }
    guard !isTracing else { return }
    processor.mapTrace(HostPhysical(trace))
    state.attention.insert(.tracing)
    traceEvent(APUS_TRACE_BEGIN, detail: UInt64(cpu.cpu))
  }

  /// Adds an event. Only while `isTracing`.
  @inline(__always)
  func traceEvent(
    _ kind: apus_trace_kind, cause: UInt32 = 0, at place: UInt64 = 0, detail: UInt64 = 0
  ) {
    addEvent(UInt64(cause) << 32 | UInt64(kind.rawValue), place, detail)
  }

  /// `what` is the event's second word: kind and cause.
  @inline(never)
  private func addEvent(_ what: UInt64, _ place: UInt64, _ detail: UInt64) {
    let trace = unsafe pages.trace
    let offset = unsafe trace.pointee.next
    let event = unsafe UnsafeMutableRawPointer(trace) + Int(offset)
    unsafe event.storeBytes(of: processor.timestamp(), as: UInt64.self)
    unsafe event.storeBytes(of: what, toByteOffset: 8, as: UInt64.self)
    unsafe event.storeBytes(of: place, toByteOffset: 16, as: UInt64.self)
    unsafe event.storeBytes(of: detail, toByteOffset: 24, as: UInt64.self)
    let next = offset &+ UInt32(MemoryLayout<apus_trace_event>.stride)
    unsafe trace.pointee.next = next == APUS_TRACE_SIZE ? APUS_TRACE_FIRST : next
    // Whoever reads the count finds the event.
    unsafe storeRelease(&trace.pointee.count, trace.pointee.count &+ 1)
  }

  func traceMode() {
    traceEvent(
      APUS_TRACE_MODE, cause: control.statistics.apic_mode, detail: UInt64(state.activity.rawValue))
  }

  /// The event that the next entry delivers, as VT-x's interruption information; 0: none.
  var tracedInjection: UInt64 {
    guard let event = unit.injection else { return 0 }
    return UInt64(event.vector) | UInt64(event.kind.rawValue) << 8
      | (event.errorCode == nil ? 0 : 1 << 11) | 1 << 31
  }

  /// What an event says of an exit besides its cause.
  func tracedDetail(of exit: Exit) -> UInt64 {
    switch exit {
    case .exception: return UInt64(unit.exitException.vector)
    case .nestedFault: return unit.exitNestedFault.address.rawValue
    case .port:
      let access = unit.exitPortAccess
      return UInt64(access.port) << 16 | (access.isInput ? 1 << 3 : 0) | UInt64(access.size - 1)
    case .readMSR, .writeMSR: return state.registers.rcx & 0xffff_ffff
    default: return unit.exitCode
    }
  }
}
