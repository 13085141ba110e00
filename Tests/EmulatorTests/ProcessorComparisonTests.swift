// SPDX-License-Identifier: Apache-2.0
import Emulator
import RealProcessor
import Testing
import X86

/// Every instruction that the emulator knows, executed by the processor under the test and by the
/// emulator, on the same operands.
@Suite("The emulator and a processor", .serialized)
struct ProcessorComparisonTests {
  /// Where the operand is, and which of the arena's pages are devices.
  struct Placement: Sendable {
    let name: String
    let offset: Int
    let devices: Set<Int>
    static let all: [Placement] = [
      Placement(name: "memory", offset: 4096 + 512, devices: []),
      Placement(name: "a device", offset: 4096 + 512, devices: [0, 1, 2]),
      Placement(name: "across two pages of memory", offset: 4096 - 1, devices: []),
      Placement(name: "from memory into a device", offset: 4096 - 1, devices: [1]),
      Placement(name: "from a device into memory", offset: 2 * 4096 - 3, devices: [1]),
      Placement(name: "across two devices", offset: 2 * 4096 - 5, devices: [0, 1, 2]),
    ]
  }

  @Test("Do the same to registers, flags and memory", arguments: Sample.all)
  func same(sample: Sample) {
    let arena = Arena()
    var random = SystemRandomNumberGenerator()
    for placement in Placement.all {
      for size in sample.sizes {
        var offset = placement.offset
        if sample.isAligned { offset &= ~15 }
        for _ in 0..<8 {
          let trial = Trial(sample, size: size, offset: offset, arena, &random)
          guard compare(trial, arena, placement, sample) else { return }
        }
      }
    }
  }

  /// False: they differ, and that is recorded.
  private func compare(
    _ trial: Trial, _ arena: Arena, _ placement: Placement, _ sample: Sample
  ) -> Bool {
    arena.place(trial.bytes)
    arena.contents = trial.contents
    let expected = arena.run(trial.state)
    let expectedContents = arena.contents
    arena.contents = trial.contents

    let machine = TestMachine()
    machine.load(trial.state)
    machine.instructionPointer = arena.code
    machine.devices = Set(placement.devices.map { arena.data >> 12 + UInt64($0) })
    let outcome = machine.finish(trial.bytes)
    let next =
      sample.setup == .branch ? arena.branchTarget : arena.code + UInt64(trial.bytes.count)
    let text = trial.bytes.map { String($0, radix: 16) }.joined(separator: " ")
    guard outcome == .completed([]), machine.instructionPointer == next else {
      Issue.record(
        "\(sample.name), \(placement.name), \(text): \(outcome) at \(machine.instructionPointer)")
      return false
    }
    if trial.isUndefined { return true }
    let difference = machine.difference(from: expected, ignoring: trial.undefined)
    let contents = arena.contents
    guard difference.isEmpty, contents == expectedContents else {
      let places = zip(expectedContents, contents).enumerated().filter {
        $0.element.0 != $0.element.1
      }
      Issue.record(
        """
        \(sample.name), \(placement.name), \(text), flags \(String(trial.state.flags, radix: 16)):
        \(difference.joined(separator: "\n")) memory \(places.prefix(16))
        """)
      return false
    }
    return true
  }
}

extension TestMachine {
  /// The same until a repeated instruction is done.
  func finish(_ bytes: [UInt8]) -> EmulatorOutcome {
    while true {
      let outcome = run(bytes)
      guard case .completed(let completion) = outcome, completion.contains(.repeats) else {
        return outcome
      }
    }
  }

  func load(_ state: processor_state) {
    withUnsafeBytes(of: state.registers) { bytes in
      for (index, value) in bytes.bindMemory(to: UInt64.self).enumerated() {
        registers[index] = value
      }
    }
    withUnsafeBytes(of: state.vectors) { bytes in
      let words = bytes.bindMemory(to: UInt64.self)
      for index in 0..<16 {
        vectors[index] = Wide(low: words[index * 2], high: words[index * 2 + 1])
      }
    }
    flags = RFLAGS(rawValue: state.flags)
  }

  /// In words, what is not as in `state`.
  func difference(from state: processor_state, ignoring undefined: RFLAGS) -> [String] {
    var differences: [String] = []
    withUnsafeBytes(of: state.registers) { bytes in
      for (index, value) in bytes.bindMemory(to: UInt64.self).enumerated()
      where registers[index] != value {
        differences.append(
          "register \(index): \(String(registers[index], radix: 16)), not \(String(value, radix: 16))"
        )
      }
    }
    withUnsafeBytes(of: state.vectors) { bytes in
      let words = bytes.bindMemory(to: UInt64.self)
      for index in 0..<16 {
        let value = Wide(low: words[index * 2], high: words[index * 2 + 1])
        if vectors[index] != value { differences.append("xmm\(index)") }
      }
    }
    let compared = RFLAGS.status.union(.direction).subtracting(undefined)
    let expected = RFLAGS(rawValue: state.flags).intersection(compared)
    if flags.intersection(compared) != expected {
      differences.append(
        "flags \(String(flags.rawValue, radix: 16)), not \(String(state.flags, radix: 16))")
    }
    return differences
  }
}
