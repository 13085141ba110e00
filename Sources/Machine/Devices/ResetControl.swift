// SPDX-License-Identifier: Apache-2.0

/// The reset control register at port 0xcf9 of Intel's chip sets, also the FADT's reset register.
final class ResetControl: ByteDevice {
  private let reset: @Sendable () -> Void

  init(reset: @escaping @Sendable () -> Void) { self.reset = reset }

  func read(_ register: Int) -> UInt8 { 0 }

  func write(_ register: Int, _ value: UInt8) {
    if value & 0x04 != 0 { reset() }  // RST_CPU
  }
}
