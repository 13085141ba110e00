// SPDX-License-Identifier: Apache-2.0
import Glibc
import HostileCalls

/// Takes VMs, vCPUs and CPUs until they are refused. It must get what its user may have and no
/// more, and keeps it for `--seconds`.
struct TakeAll {
  let device: Device
  let options: Options

  /// Few enough for any VM.
  private static let processorsPerMachine = 4

  func make() -> Int32 {
    guard let machines = take("VMs", options.machines, { _ in device.createMachine() }) else {
      return 2
    }
    if !machines.isEmpty {
      guard let processors = take("vCPUs", options.processors, { processor($0, of: machines) }),
        take("CPUs", options.lent, { lend(to: processors, $0) }) != nil
      else { return 2 }
    }
    say("refused beyond \(options.machines) VMs, \(options.processors) vCPUs, \(options.lent) CPUs")
    sleep(UInt32(options.seconds))
    return 0
  }

  private func processor(_ index: Int, of machines: [Int32]) -> Int32 {
    let (machine, id) = index.quotientAndRemainder(dividingBy: Self.processorsPerMachine)
    return machine < machines.count
      ? device.createProcessor(of: machines[machine], UInt64(id)) : -ENOENT
  }

  private func lend(to processors: [Int32], _ index: Int) -> Int32 {
    guard index < processors.count else { return -ENOENT }
    var state: UInt32 = 0
    return device.call(processors[index], HOSTILE_GET_MP_STATE, with: &state)
  }

  /// What `allowed` calls returned. Nil unless the one after them, and no other, ended with EDQUOT.
  private func take(_ what: String, _ allowed: Int, _ one: (Int) -> Int32) -> [Int32]? {
    var results: [Int32] = []
    for index in 0...allowed {
      let result = one(index)
      guard index < allowed ? result >= 0 : result == -EDQUOT else {
        say("WRONG: of \(allowed) \(what) the one after \(index) ended with \(result)")
        return nil
      }
      results.append(result)
    }
    return results.dropLast()
  }
}
