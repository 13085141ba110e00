// SPDX-License-Identifier: Apache-2.0
import Contract
import X86

/// Requests of the driver and of other vCPUs. The requester sets its bit and then sends an NMI; here
/// the bits are cleared before they are acted on, and an NMI that comes later makes the next entry
/// exit at once. docs/model checks this protocol.
extension VirtualCPU {
  /// Whether M2 finds a request. Two plain loads: an exchange that finds nothing would cost a locked
  /// access to two cache lines at each exit.
  @inline(__always) var isRequested: Bool {
    unsafe loadAcquire(&pages.control.pointee.requests) != 0
      || withUnsafePointer(to: &pages.machine.pointee.requests[id]) {
        unsafe loadAcquire($0)
      } != 0
  }

  /// True if KVM_RUN is asked to return.
  @inline(never)
  func serveRequests() -> Bool {
    let others = serveOtherVCPUs()
    // M2: clear before acting.
    let requests = unsafe exchange(&pages.control.pointee.requests, 0)
    if isTracing, requests != 0 || others != 0 {
      traceEvent(APUS_TRACE_REQUEST, cause: requests, detail: UInt64(others))
    }
    guard requests != 0 else { return false }
    if requests & APUS_REQUEST_LINES.rawValue != 0 { updateLines() }
    if requests & APUS_REQUEST_NMI.rawValue != 0 { pendNMIs(1) }
    if requests & APUS_REQUEST_SECOND_NMI.rawValue != 0 { pendNMIs(1) }
    if requests & APUS_REQUEST_CLOCK.rawValue != 0 { publishSystemTime() }
    if requests & APUS_REQUEST_LEVELS.rawValue != 0 { takeLevelMessages() }
    if requests & APUS_REQUEST_TRACE.rawValue != 0 { followTrace() }
    // Slots are looked at before every entry.
    return requests & APUS_REQUEST_EXIT.rawValue != 0
  }

  /// APUS_COMMAND_VCPU. `size` is the payload's, in bytes. 0, a positive answer, or -errno.
  public func perform(_ request: UInt32, size: Int) -> Int64 {
    // Some ioctls write the guest's memory.
    followSlots()
    // What others have asked of this vCPU is a part of the state that a client reads, and must not come
    // over one that it sets. KVM_RUN is still asked to return.
    if isRequested, serveRequests() {
      _ = unsafe fetchOr(&pages.control.pointee.requests, APUS_REQUEST_EXIT.rawValue)
    }
    return serve(request, size)
  }

  /// What they had asked for: `VCPURequest`.
  private func serveOtherVCPUs() -> UInt32 {
    let raw = unsafe withUnsafeMutablePointer(to: &pages.machine.pointee.requests[id]) {
      unsafe exchange($0, 0)
    }
    // M3: act.
    guard raw != 0 else { return 0 }
    let requests = VCPURequest(rawValue: raw)
    if requests.contains(.nonMaskableInterrupt) { pendNMIs(1) }
    if requests.contains(.secondNMI) { pendNMIs(1) }
    if requests.contains(.levelInterrupt) { takeLevels() }
    if requests.contains(.lines) { updateLines() }
    if requests.contains(.timer) { state.attention.insert(.timer) }
    if requests.contains(.external) { state.attention.insert(.events) }
    if requests.contains(.initialize) { initialize() }
    if requests.contains(.startUp), state.activity != .running {
      let id = id
      startUp(vector: withMachine { $0.startUpVectors[id] })
    }
    return raw
  }

  private func takeLevels() {
    let id = id
    var vectors = withMachine { machine -> VectorSet in
      let vectors = machine.levelVectors[id]
      machine.levelVectors[id] = VectorSet()
      return vectors
    }
    while let vector = vectors.popFirst() { takeLevel(vector) }
  }

  /// INIT: the state of SDM vol. 3, table 10-1; then SIPI is awaited, but by the bootstrap
  /// processor, which starts at its reset vector.
  private func initialize() {
    resetRegisters()
    clearAPIC()
    resetVirtualAPIC()
    if state.apic.base.rawValue & APICBase.bootstrapProcessor == 0 {
      state.activity = .waitingForStartUp
    }
  }

  /// All of the APIC but its base and its number. SDM vol. 3, 11.4.7.3.
  private func resetVirtualAPIC() {
    let base = state.apic.base
    let policy = state.apic.policy
    let wanted = state.apic.wantedPolicy
    state.apic = VirtualAPIC(id: state.apic.id, bootstrap: false)
    state.apic.base = base
    state.apic.policy = policy
    state.apic.wantedPolicy = wanted
    openLINT0()
    state.levelVectors = VectorSet()
    state.triggerModes = VectorSet()
    state.pendingNMIs = 0
    unit.holdsNMI = false
    publishAPIC()
    interceptEOI()
  }

  private func startUp(vector: UInt8) {
    var code = unit[.cs]
    code.selector = UInt16(vector) << 8
    code.base = UInt64(vector) << 12
    unit[.cs] = code
    unit.instructionPointer = 0
    state.activity = .running
  }
}
