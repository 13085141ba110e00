// SPDX-License-Identifier: Apache-2.0

enum ConsoleInput: Equatable {
  case bytes([UInt8])
  case quit
  case end
}

/// Finds QEMU's escape in what is typed: Ctrl-A x quits, Ctrl-A Ctrl-A is Ctrl-A.
struct ConsoleEscape {
  private var pending = false

  mutating func filter(_ input: some Sequence<UInt8>) -> ConsoleInput {
    var output: [UInt8] = []
    for byte in input {
      switch (pending, byte) {
      case (false, 0x01): pending = true
      case (false, _): output.append(byte)
      case (true, UInt8(ascii: "x")), (true, UInt8(ascii: "X")): return .quit
      case (true, 0x01):
        output.append(byte)
        pending = false
      case (true, _): pending = false
      }
    }
    return .bytes(output)
  }
}
