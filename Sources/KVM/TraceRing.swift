// SPDX-License-Identifier: Apache-2.0
import Contract
import SystemPackage

extension VirtualCPU {
  /// KVM_APUS_TRACE: the monitor writes the vCPU's trace, or no longer. Only `/dev/apus`; from any thread.
  public func setTrace(_ isOn: Bool) throws(KVMError) {
    let descriptor = owned.descriptor
    try calling("KVM_APUS_TRACE") { () throws(Errno) in
      _ = try SystemCall.ioctl(descriptor, KVM_APUS_TRACE_, isOn ? 1 : 0)
    }
  }

  /// The trace from its first event on, after it was switched on for the first time.
  public func openTrace() throws(KVMError) -> TraceRing {
    try TraceRing(
      Mapping(
        reading: owned.descriptor, offset: Int(APUS_TRACE_MMAP_PAGE * APUS_PAGE_SIZE),
        size: Int(APUS_TRACE_SIZE)))
  }
}

/// `struct apus_trace`: what a lent CPU did for its vCPU, event by event. The monitor writes meanwhile, and
/// overwrites what nobody has read. One reader at a time.
public final class TraceRing: @unchecked Sendable {
  private let pages: Mapping
  /// Of the next event to read.
  private var position: UInt64 = 0

  init(_ pages: consuming Mapping) { self.pages = pages }

  /// Leaves out what has not been read.
  public func skip() { position = count }

  private var count: UInt64 { loadAcquire(pages.address.assumingMemoryBound(to: UInt64.self)) }

  /// kHz of the counter that events have their times from.
  public var frequency: UInt32 {
    pages.address.assumingMemoryBound(to: apus_trace.self).pointee.tsc_khz
  }

  /// The events since the last time, oldest first, and how many were overwritten before they were read.
  public func drain() -> (events: [apus_trace_event], lost: UInt64) {
    let capacity = UInt64(APUS_TRACE_EVENTS)
    let end = count
    let begin = max(position, end > capacity ? end - capacity : 0)
    var events: [apus_trace_event] = []
    events.reserveCapacity(Int(end - begin))
    for number in begin..<end {
      events.append(
        pages.address.load(
          fromByteOffset: Int(APUS_TRACE_FIRST) + Int(number % capacity)
            * MemoryLayout<apus_trace_event>.stride, as: apus_trace_event.self))
    }
    // One more than is complete may be under way.
    let after = count + 1
    let overwritten = min(after > capacity ? after - capacity : 0, end)
    let late = overwritten > begin ? overwritten - begin : 0
    events.removeFirst(Int(late))
    defer { position = end }
    return (events, begin - position + late)
  }
}
