// SPDX-License-Identifier: Apache-2.0
import Contract
import Devices
import X86

/// The PIT's channel 0 where the processor itself can end the guest's run in time:
/// neither the driver nor a host CPU takes part. vCPU 0 has the timer, as it has the PICs.
extension VirtualCPU {
  /// Channel 0 was programmed, by whichever vCPU.
  func timerChanged() {
    if id == 0 { state.attention.insert(.timer) } else { ask(target(0), .timer) }
  }

  /// Before an entry.
  func armTimer() {
    guard let timer = withMachine({ $0.pit.channel0 }) else {
      state.timerDeadline = nil
      armUnit()
      return
    }
    let now = pitNow
    var first = timer.first
    if first < now, timer.period > 0 { first += ((now - first) / timer.period + 1) * timer.period }
    state.timerPeriod =
      timer.period == 0 ? 0 : max(timestampTicks(timer.period), shortestPeriod)
    state.timerDeadline =
      processor.timestamp() &+ timestampTicks(first > now ? first - now : 0)
    armUnit()
  }

  /// The processor's timer ends the guest's run at the first of what it is for.
  func armUnit() {
    guard unit.hasTimer else { return }
    var first = state.timerDeadline
    if state.apic.policy == .preemption, state.apic.software.ringsAt != 0 {
      first = min(first ?? .max, state.apic.software.ringsAt)
    }
    if unit.deadline != first { unit.deadline = first }
  }

  /// 200 µs in TSC ticks, as in Driver/vm/timer.c and as KVM's.
  var shortestPeriod: UInt64 { UInt64(max(vm.tsc_khz, 1)) / 5 }

  /// A periodic deadline that was missed by more than a period is not made up for. The next one leaves
  /// the guest some time, counted from the end of the work for this one: else it may leave at each
  /// entry, and never come to execute an instruction.
  @inline(never)
  func timerRang() {
    if let deadline = state.timerDeadline, processor.timestamp() >= deadline {
      pulseLine(0)
      state.timerDeadline =
        state.timerPeriod == 0
        ? nil : max(deadline &+ state.timerPeriod, processor.timestamp() &+ shortestPeriod / 2)
    }
    expireTimer()
    armUnit()
  }

  /// A rising and a falling edge of a line that the driver leaves alone.
  private func pulseLine(_ line: Int) {
    changeControllers { controllers in
      controllers.setLine(line, true)
      controllers.setLine(line, false)
      return 0
    }
  }

  /// PIT ticks in TSC ticks.
  func timestampTicks(_ ticks: UInt64) -> UInt64 {
    let khz = UInt64(max(vm.tsc_khz, 1))
    return Self.scale(ticks, by: (khz * 1000 << 20) / PIT.frequency, shift: 20)
  }
}
