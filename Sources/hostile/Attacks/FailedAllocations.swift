// SPDX-License-Identifier: Apache-2.0
import Glibc
import HostileCalls

/// Makes requests whose allocations and copies the kernel refuses, one after the other: the first alone,
/// the second alone, until a request makes fewer. Each must end with ENOMEM or EFAULT, or do what it was
/// asked for; the same request must succeed afterwards, and no file may be left.
///
/// The kernel needs fault injection (`make debug-kernel`), and this program root.
struct FailedAllocations {
  let device: Device
  let options: Options

  /// More than any request makes.
  private static let most: UInt32 = 2000

  /// What came of one request.
  private struct Tally {
    var refused = 0
    var harmless = 0
    var errors: Set<Int32> = []

    var line: String {
      let names = errors.sorted().map { String(cString: strerror($0)) }.joined(separator: ", ")
      return "\(refused) refused, \(harmless) without harm" + (names.isEmpty ? "" : "; \(names)")
    }
  }

  func make() -> Int32 {
    let failing = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC)
    guard failing >= 0 else {
      say("the kernel refuses nothing on demand: no fail-nth")
      return 1
    }
    guard let bench = FailingBench(device: device) else {
      say("cannot have a VM to begin with")
      return 1
    }
    var refused = 0
    for step in bench.steps {
      guard let tally = walk(step, failing) else { return 2 }
      say("\(step.name): \(tally.line)")
      refused += tally.refused
    }
    guard refused > 0 else {
      say("WRONG: nothing was refused")
      return 2
    }
    say("\(refused) allocations and copies refused in \(bench.steps.count) requests")
    return 0
  }

  /// Nil if something was wrong, which has been said then.
  private func walk(_ step: FailingStep, _ failing: Int32) -> Tally? {
    var tally = Tally()
    // Once for what the kernel allocates at the first time.
    guard once(step) else { return nil }
    let files = openFiles()
    for nth in 1...Self.most {
      let descriptor = step.target()
      var left: Int32 = 0
      let argument = step.argument()
      let result = hostile_failing_ioctl(
        failing, nth, descriptor, step.request, argument, &left)
      guard left >= 0 else { return wrong(step, nth, "fail-nth itself: errno \(-left)") }
      if left == 0 { tally.refused += 1 }
      if result >= 0 {
        step.undo(descriptor, result)
        if left == 0 { tally.harmless += 1 }
      } else {
        guard left == 0, [-ENOMEM, -EFAULT].contains(result) else {
          let why = left == 0 ? "" : " though nothing was refused"
          return wrong(step, nth, "errno \(-result)\(why)")
        }
        tally.errors.insert(-result)
        let again = hostile_ioctl(descriptor, step.request, step.argument())
        guard again >= 0 else { return wrong(step, nth, "the same again: errno \(-again)") }
        step.undo(descriptor, again)
      }
      guard openFiles() == files else { return wrong(step, nth, "a file is left") }
      if left > 0 { return tally }
    }
    return wrong(step, Self.most, "there is no end to it")
  }

  private func once(_ step: FailingStep) -> Bool {
    let descriptor = step.target()
    let result = hostile_ioctl(descriptor, step.request, step.argument())
    if result < 0 { say("WRONG: \(step.name) without any refusal: errno \(-result)") }
    step.undo(descriptor, result)
    return result >= 0
  }

  private func wrong(_ step: FailingStep, _ nth: UInt32, _ reason: String) -> Tally? {
    say("WRONG: \(step.name), refusal \(nth): \(reason)")
    return nil
  }

  /// How many descriptors are in use.
  private func openFiles() -> Int {
    (0..<Int32(256)).count { fcntl($0, F_GETFD) >= 0 }
  }
}
