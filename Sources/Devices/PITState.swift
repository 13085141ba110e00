// SPDX-License-Identifier: Apache-2.0
// The timer as KVM_GET_PIT2 and KVM_SET_PIT2 carry it.
import Contract

extension PIT {
  /// - Returns: The state; `count_load_time` in nanoseconds of the clock that `now` is of.
  public mutating func state(now: UInt64) -> kvm_pit_state2 {
    first.settle(now: now)
    second.settle(now: now)
    third.settle(now: now)
    var state = kvm_pit_state2()
    state.channels.0 = first.state
    state.channels.1 = second.state
    state.channels.2 = third.state
    state.flags = speaker ? UInt32(KVM_PIT_FLAGS_SPEAKER_DATA_ON) : 0
    return state
  }

  /// Takes over a state; any value is accepted. As in KVM the channels start again from their
  /// counts: `count_load_time` is of another clock. KVM_PIT_FLAGS_HPET_LEGACY stops channel 0.
  public mutating func setState(_ state: kvm_pit_state2, now: UInt64) {
    first = PITChannel(state.channels.0, gate: true, now: now)
    second = PITChannel(state.channels.1, gate: true, now: now)
    third = PITChannel(state.channels.2, gate: state.channels.2.gate != 0, now: now)
    speaker = state.flags & UInt32(KVM_PIT_FLAGS_SPEAKER_DATA_ON) != 0
    if state.flags & UInt32(KVM_PIT_FLAGS_HPET_LEGACY) != 0 { first.stop() }
    channel0Changes &+= 1
  }
}

extension PITChannel {
  /// No count was written since the mode was set. KVM knows no such state but the one after its
  /// reset, mode 0xff; like this one it is no mode, for KVM and for QEMU.
  private static let idleMode: UInt8 = 0x80

  /// KVM's number for the half of a word that comes next: 1 low, 2 high, 3 low of two, 4 high of
  /// two.
  private static func next(_ access: Access, isHigh: Bool) -> UInt8 {
    access == .lowThenHigh && isHigh ? 4 : access.rawValue
  }

  var state: kvm_pit_channel_state {
    var state = kvm_pit_channel_state()
    state.count = register
    state.latched_count = latchedCount
    state.count_latched = latch.rawValue
    state.status_latched = latchedStatus == nil ? 0 : 1
    state.status = latchedStatus ?? 0
    state.read_state = Self.next(access, isHigh: readsHighByte)
    state.write_state = Self.next(access, isHigh: firstByteWritten != nil)
    state.write_latch = firstByteWritten ?? 0
    state.rw_mode = access.rawValue
    state.mode = programmedMode
    state.bcd = isBCD ? 1 : 0
    state.gate = gate ? 1 : 0
    state.count_load_time = Int64(truncatingIfNeeded: Self.nanoseconds(start))
    if phase == .idle { state.mode |= Self.idleMode }
    return state
  }

  init(_ state: kvm_pit_channel_state, gate: Bool, now: UInt64) {
    self.init(gate: gate)
    configure(
      mode: state.mode, access: Access(rawValue: state.rw_mode & 3) ?? .lowThenHigh,
      isBCD: state.bcd != 0)
    if state.mode & Self.idleMode == 0 { load(count: state.count, now: now) }
    latch = PITLatch(rawValue: state.count_latched & 7) ?? .none
    latchedCount = state.latched_count
    latchedStatus = state.status_latched != 0 ? state.status : nil
    readsHighByte = state.read_state == 4
    firstByteWritten = state.write_state == 4 ? state.write_latch : nil
  }

  /// In two parts, so that nothing overflows before 584 years.
  private static func nanoseconds(_ ticks: UInt64) -> UInt64 {
    let rest = ticks % PIT.frequency
    return ticks / PIT.frequency &* 1_000_000_000 &+ rest * 1_000_000_000 / PIT.frequency
  }
}
