// SPDX-License-Identifier: Apache-2.0
import Contract
import Devices
import X86

/// Conversions of the TSC: exact enough for days, without a division of 128 bits.
extension VirtualCPU {
  /// TSC ticks in PIT ticks.
  var pitNow: UInt64 {
    // Written once, by the first BIND: no lock.
    Self.scale(processor.timestamp(), by: machine.pitScale, shift: 32)
  }

  /// `value` * `factor` >> `shift` without losing the upper half in between.
  static func scale(_ value: UInt64, by factor: UInt64, shift: UInt64) -> UInt64 {
    let product = value.multipliedFullWidth(by: factor)
    return product.high << (64 - shift) | product.low >> shift
  }

  /// Arms the processor's timer or the driver's for the PIT's channel 0, if that changed.
  func publishTimer() {
    let hasTimer = unit.hasTimer
    let now = pitNow
    let tsc = processor.timestamp()
    let ring = withMachine { machine -> UInt64? in
      guard machine.pit.channel0Changes != machine.pitChange else { return nil }
      machine.pitChange = machine.pit.channel0Changes
      if hasTimer { return tsc }
      guard machine.pit.channel0 != machine.driverTimer else { return nil }
      machine.driverTimer = machine.pit.channel0
      if let timer = machine.driverTimer {
        let delta = timer.first > now ? timer.first - now : 0
        unsafe pages.vm.pointee.timer.deadline = tsc &+ timestampTicks(delta)
        unsafe pages.vm.pointee.timer.period_ns =
          timer.period * 1_000_000_000 / PIT.frequency
      } else {
        unsafe pages.vm.pointee.timer.deadline = 0
        unsafe pages.vm.pointee.timer.period_ns = 0
      }
      unsafe pages.vm.pointee.timer.line = 0
      unsafe storeRelease(
        &pages.vm.pointee.timer.sequence, pages.vm.pointee.timer.sequence &+ 1)
      return machine.ringPace.next(now: tsc, interval: shortestPeriod)
    }
    guard let ring else { return }
    if hasTimer {
      timerChanged()
      return
    }
    // The guest's own time: it is the one that programs so often.
    while processor.timestamp() < ring { processor.pause() }
    processor.ringDoorbell()
  }

  /// struct pvclock_vcpu_time_info (linux arch/x86/include/asm/pvclock-abi.h): the guest's
  /// nanoseconds as a linear function of the TSC, which is the host's own but for an offset. PVCLOCK_GUEST_STOPPED stays
  /// until the guest clears it.
  func publishSystemTime(stopped: Bool = false) {
    guard state.systemTimeMSR & 1 != 0 else { return }
    let khz = UInt64(max(vm.tsc_khz, 1))
    var shift: UInt64 = 0
    // The multiplier has 32 bits: at 1 GHz without a shift it would be 1 << 32.
    while khz << shift <= 1_000_000 { shift += 1 }
    let multiplier = (1_000_000 << 32) / (khz << shift)
    state.systemTimeVersion &+= 2
    let address = GuestPhysical(state.systemTimeMSR & ~1)
    let guestStopped: UInt64 = 1 << 1
    let kept = (memory.read(address + 29, size: 1) ?? 0) & guestStopped
    let flags: UInt64 = 1 | kept | (stopped ? guestStopped : 0)
    writePhysical(address, UInt64(state.systemTimeVersion &+ 1))
    writePhysical(address + 8, vm.clock_tsc &+ unit.tscOffset)
    writePhysical(address + 16, 0)
    writePhysical(
      address + 24, multiplier & 0xffff_ffff | (shift & 0xff) << 32 | flags << 40)
    writePhysical(address, UInt64(state.systemTimeVersion))
  }

  /// KVM_KVMCLOCK_CTRL: the guest learns that it was stopped, so that its watchdogs do not take the time for
  /// their own.
  func tellGuestItWasStopped() -> Int64 {
    guard state.systemTimeMSR & 1 != 0 else { return -EINVAL_ }
    publishSystemTime(stopped: true)
    return 0
  }

  /// struct pvclock_wall_clock.
  func publishWallClock() {
    let address = GuestPhysical(state.wallClockMSR)
    writePhysical(address, 2 | vm.wall_seconds << 32, size: 8)
    writePhysical(address + 8, UInt64(vm.wall_nanoseconds), size: 4)
  }
}
