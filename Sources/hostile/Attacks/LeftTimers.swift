// SPDX-License-Identifier: Apache-2.0
import Glibc
import HostileCalls

/// Arms the PIT of one VM after the other and takes its CPU back. A driver that lets such timers go
/// on interrupts one of the host's CPUs for all of them, for nobody.
struct LeftTimers {
  let device: Device
  let options: Options

  func make() -> Int32 {
    guard let timers = options.timers else {
      say("cannot open /proc/timer_list: run it as root, with --uid")
      return 1
    }
    var machines: [Int32] = []
    for _ in 0..<options.machines {
      guard let (machine, processor) = ticking() else { return 1 }
      // Otherwise nothing was seen that could go on.
      guard wait(for: 1, machines.isEmpty, timers) else {
        say("the PIT of a VM with a CPU is not among the kernel's timers")
        return 1
      }
      close(processor)
      machines.append(machine)
    }
    let left = timers.driverTimers()
    guard left == 0 else {
      say("WRONG: \(left) timers of \(machines.count) VMs without a CPU are armed")
      return 2
    }
    return goesOn(machines[0], timers) ? 0 : 2
  }

  /// The timer is armed by an interrupt: soon, not at once. True at once if it need not be.
  private func wait(for count: Int, _ needed: Bool, _ timers: TimerList) -> Bool {
    for _ in 0..<200 where needed {
      if timers.driverTimers() == count { return true }
      usleep(1000)
    }
    return !needed
  }

  /// A VM whose PIT expires as often as it can, and its vCPU.
  private func ticking() -> (machine: Int32, processor: Int32)? {
    let machine = device.createMachine()
    var configuration = kvm_pit_config()
    var state = kvm_pit_state2()
    state.channels.0.count = 20
    state.channels.0.mode = 2
    state.channels.0.gate = 1
    guard machine >= 0, device.call(machine, HOSTILE_CREATE_IRQCHIP) >= 0,
      device.call(machine, HOSTILE_CREATE_PIT2, with: &configuration) >= 0
    else {
      say("cannot create a VM with a PIT: errno \(-machine)")
      return nil
    }
    let processor = device.createProcessor(of: machine)
    let result = device.call(machine, HOSTILE_SET_PIT2, with: &state)
    guard processor >= 0, result >= 0 else {
      say("cannot start a PIT: errno \(-processor), \(-result)")
      return nil
    }
    return (machine, processor)
  }

  /// With a CPU again the VM has its timer again: the PIC sees its edges.
  private func goesOn(_ machine: Int32, _ timers: TimerList) -> Bool {
    let processor = device.createProcessor(of: machine, 1)
    var state: UInt32 = 0
    guard device.call(processor, HOSTILE_GET_MP_STATE, with: &state) >= 0 else {
      say("WRONG: the first VM gets no CPU again")
      return false
    }
    let armed = timers.driverTimers()
    guard armed == 1 else {
      say("WRONG: \(armed) timers are armed when the first VM has a CPU again")
      return false
    }
    _ = takeEdges(machine)
    usleep(50_000)
    guard takeEdges(machine) else {
      say("WRONG: the first VM's PIT does not tick any more")
      return false
    }
    say("\(options.machines) timers stopped; the first goes on with a CPU")
    return true
  }

  /// Whether the PIC's input 0 rose since it was asked last.
  private func takeEdges(_ machine: Int32) -> Bool {
    var chip = kvm_irqchip()
    guard device.call(machine, HOSTILE_GET_IRQCHIP, with: &chip) >= 0 else { return false }
    let rose = chip.chip.pic.irr & 1 != 0
    chip.chip.pic.irr = 0
    return device.call(machine, HOSTILE_SET_IRQCHIP, with: &chip) >= 0 && rose
  }
}
