// SPDX-License-Identifier: Apache-2.0
import Glibc
import HostileCalls

/// Takes CPU 3 and gives it back, again and again, for `--seconds`, and says how often.
struct HandOvers {
  let device: Device
  let options: Options

  func make() -> Int32 {
    let start = microseconds()
    var count = 0
    while microseconds() - start < options.seconds * 1_000_000 {
      let machine = device.createMachine()
      let processor = machine < 0 ? machine : device.createProcessor(of: machine)
      let result = processor < 0 ? processor : device.lend(3, to: processor)
      if processor >= 0 { close(processor) }
      if machine >= 0 { close(machine) }
      guard result == 0 else {
        say("WRONG: after \(count) hand-overs one ended with \(result)")
        return 2
      }
      count += 1
      if count == 1 { say("begun") }
    }
    say("\(count) hand-overs in \(options.seconds) s")
    return 0
  }
}
