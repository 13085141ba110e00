// SPDX-License-Identifier: Apache-2.0
import Foundation

/// What Bochs' debugger says with `trace on`: a line for each instruction of one CPU, before it is
/// executed, and one for each repetition of a REP.
///
///     (1).[12079555] [0x0000004380a0] 0008:00000000001020a0 (unk. ctxt): vmread rax, rcx  ; 0f78c8
enum BochsTrace {
  /// Debugger commands: instructions are traced between each two breakpoints of a guest
  /// (`magic_break` of the configuration), and after the last one. The stand-in's CPU is 0.
  static func commands(breakpoints: Int) -> String {
    var lines = ["c"]
    for number in 0..<breakpoints {
      lines +=
        number % 2 == 0 ? ["set $cpu = \(CodePlace.cpu)", "trace on", "c"] : ["trace off", "c"]
    }
    return lines.joined(separator: "\n") + "\n"
  }

  static func read(_ trace: Data, into exits: inout ExitCollector) {
    trace.withUnsafeBytes { text in
      var rest = text[...]
      while let end = rest.position(of: "\n") {
        let line = rest[..<end]
        rest = rest[(end + 1)...]
        guard let instruction = Instruction(line) else { continue }
        exits.executed(
          instruction.address,
          readsVMCS: instruction.mnemonic.hasPrefix("vmread "),
          writesVMCS: instruction.mnemonic.hasPrefix("vmwrite "))
      }
    }
  }

  private struct Instruction {
    var address: UInt64
    var mnemonic: Slice<UnsafeRawBufferPointer>

    init?(_ line: Slice<UnsafeRawBufferPointer>) {
      guard line.hasPrefix("(1).["), let physical = line.position(of: "x"),
        let selector = line[physical...].position(of: ":"),
        let context = line[selector...].position(of: ")"), context + 3 < line.endIndex
      else { return nil }
      // The line ends with no digit, so that strtoull stops within it.
      guard let number = line.base.baseAddress?.advanced(by: selector + 1) else { return nil }
      address = strtoull(number.assumingMemoryBound(to: CChar.self), nil, 16)
      mnemonic = line[(context + 3)...]
    }
  }
}

extension Slice<UnsafeRawBufferPointer> {
  /// A trace has millions of lines: this is left to the C library.
  fileprivate func position(of character: Unicode.Scalar) -> Int? {
    guard let start = base.baseAddress,
      let found = memchr(start + startIndex, Int32(character.value), count)
    else { return nil }
    return UnsafeRawPointer(found) - start
  }

  fileprivate func hasPrefix(_ text: StaticString) -> Bool {
    guard let start = base.baseAddress, count >= text.utf8CodeUnitCount else { return false }
    return memcmp(start + startIndex, text.utf8Start, text.utf8CodeUnitCount) == 0
  }
}
