// SPDX-License-Identifier: Apache-2.0

/// What is left of the 8042: the reset line behind its command port, 0x64.
final class KeyboardController: ByteDevice {
  private let reset: @Sendable () -> Void

  init(reset: @escaping @Sendable () -> Void) { self.reset = reset }

  /// Status: neither buffer is full, or whoever wants to reset would wait.
  func read(_ register: Int) -> UInt8 { 0 }

  func write(_ register: Int, _ value: UInt8) {
    if value == 0xfe { reset() }  // pulse output port, bit 0
  }
}
