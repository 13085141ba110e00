// SPDX-License-Identifier: Apache-2.0
import Glibc
import HostileCalls

/// A client that means harm: calls every ioctl of /dev/apus with random and hostile arguments, from
/// several threads, while guests run, signals come, and files and memory go away under them.
///
/// Each thread's calls follow from the seed; how the threads meet does not.
@main
struct Hostile {
  /// 0: an errno each time. 1: the device does not open. 2: something that must not be.
  static func main() {
    guard var options = Options(Array(CommandLine.arguments.dropFirst())) else {
      print(Options.usage)
      exit(64)
    }
    allowDescriptors()
    options.timers = TimerList()
    if let user = options.user { become(user) }
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in }
    sigaction(Worker.wakeUp, &action, nil)

    let device = open(options.device, O_RDWR | O_CLOEXEC)
    guard device >= 0 else {
      print("cannot open \(options.device): \(String(cString: strerror(errno)))")
      exit(1)
    }
    if let attack = options.attack {
      exit(attack.make(on: Device(descriptor: device), options))
    }
    print("seed \(options.seed), \(options.threads) threads, \(options.seconds) s")
    fflush(nil)
    guard let memory = GuestMemory() else {
      print("no memory")
      exit(1)
    }
    let targets = Targets(device: device, memory: memory)
    if options.childSeconds > 0 { hostile_heir(UInt32(options.childSeconds)) }
    let crew = Crew(options: options, targets: targets)
    guard let sum = crew.run() else { exit(2) }
    report(sum)
  }

  private static func report(_ sum: Crew.Sum) -> Never {
    for line in sum.tally.lines { print(line) }
    print("calls \(sum.tally.calls), of which \(sum.tally.successes) succeeded")
    for (name, number) in sum.tally.unknown.prefix(10) {
      print("WRONG: \(name) ended with \(number), which is no errno")
    }
    if sum.childrensSuccesses > 0 {
      print("WRONG: \(sum.childrensSuccesses) calls of a child succeeded on its parent's VM")
    }
    exit(sum.tally.unknown.isEmpty && sum.childrensSuccesses == 0 ? 0 : 2)
  }

  /// As many as root may permit: the device shall be what sets a limit. Without root fewer do.
  private static func allowDescriptors() {
    var limit = rlimit(rlim_cur: 1 << 20, rlim_max: 1 << 20)
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }

  private static func become(_ user: UInt32) {
    guard setgroups(0, nil) == 0, setgid(user) == 0, setuid(user) == 0 else {
      print("cannot become user \(user)")
      exit(1)
    }
  }
}
