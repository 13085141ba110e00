// SPDX-License-Identifier: Apache-2.0

/// Asks for CPUs that no machine has. A driver that looks such a number up in a bitmap reads the
/// kernel's memory behind it, and the answer tells the bit.
struct CPUNumbers {
  let device: Device
  let options: Options

  /// Numbers near the end of a bitmap of all CPUs, whose length is the kernel's NR_CPUS.
  private var near: ClosedRange<UInt64> { UInt64(options.cpus)...40_000 }
  /// Up to a gibibyte behind it, and what is left of the number when it is cut to 32 bits.
  private static let far: [UInt64] = [
    1 << 20, 1 << 28, 0x7fff_fff0, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff,
    0x1_0000_0000, 0x1_0000_0001, 0x7fff_ffff_ffff_ffff, .max,
  ]

  func make() -> Int32 {
    let processor = device.createProcessor(of: device.createMachine())
    guard processor >= 0 else {
      say("cannot create a vCPU: errno \(-processor)")
      return 1
    }
    let answers = ask(near, processor)
    // The far ones would be looked up where nothing is mapped.
    guard answers.count == 1 else { return leak(answers) }
    let all = ask(Self.far, processor).merging(answers, uniquingKeysWith: +)
    guard all.count == 1, let answer = all.keys.first else { return leak(all) }
    say("\(near.count + Self.far.count) numbers, one answer: errno \(-answer)")
    return 0
  }

  /// How often each answer came.
  private func ask(_ numbers: some Sequence<UInt64>, _ processor: Int32) -> [Int32: Int] {
    var answers: [Int32: Int] = [:]
    for number in numbers { answers[device.lend(number, to: processor), default: 0] += 1 }
    return answers
  }

  private func leak(_ answers: [Int32: Int]) -> Int32 {
    say(
      "WRONG: the answers differ: "
        + answers.map { "\($0.value) x \($0.key)" }.joined(separator: ", "))
    return 2
  }
}
