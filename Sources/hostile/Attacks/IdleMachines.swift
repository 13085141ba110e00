// SPDX-License-Identifier: Apache-2.0
import HostileCalls

/// Creates VMs that do nothing, and measures calls to one that has a CPU. A driver whose doorbell
/// walks all VMs makes everybody's calls slower, in an interrupt.
struct IdleMachines {
  let device: Device
  let options: Options

  private static let calls = 400
  /// Calls of an emulated host vary, from 3 us to 160; a walk over 4000 VMs took 1400.
  private func tolerated(_ before: Int) -> Int { (2 * before + 300) * options.slowness }

  func make() -> Int32 {
    let machine = device.createMachine()
    let processor = device.createProcessor(of: machine)
    guard processor >= 0, let before = median(processor) else {
      say("cannot have a vCPU with a CPU")
      return 1
    }
    for count in 0..<options.machines {
      let idle = device.createMachine()
      guard idle >= 0 else {
        say("cannot create VM \(count) of \(options.machines): errno \(-idle)")
        return 1
      }
    }
    guard let after = median(processor) else { return 1 }
    let times = "\(before) us a call alone, \(after) us beside \(options.machines) idle VMs"
    guard after <= tolerated(before) else {
      say("WRONG: \(times)")
      return 2
    }
    say(times)
    return 0
  }

  /// Of the microseconds of calls that the vCPU's monitor answers. Nil if it does not.
  private func median(_ processor: Int32) -> Int? {
    var times: [Int] = []
    for _ in 0..<Self.calls {
      var state: UInt32 = 0
      let start = microseconds()
      guard device.call(processor, HOSTILE_GET_MP_STATE, with: &state) >= 0 else { return nil }
      times.append(microseconds() - start)
    }
    return times.sorted()[times.count / 2]
  }
}
