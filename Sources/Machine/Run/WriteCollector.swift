// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The life of a thread that delivers coalesced writes while the guest makes no exit: what it says
/// last on its console must not wait for what it does next.
struct WriteCollector: Sendable {
  let virtualCPU: VirtualCPUThread
  let console: UART
  let control: RunControl

  /// Microseconds. Nobody sees a line that is 20 ms old; but a driver that has filled the FIFO and
  /// waits for the transmitter's interrupt gets 16 bytes a time, and with 1 ms between them the
  /// speed of a line of 115,200 baud and more.
  static let interval: UInt32 = 20_000
  static let shortInterval: UInt32 = 1_000

  func run() {
    while control.outcome == nil {
      usleep(console.awaitsTransmitter ? Self.shortInterval : Self.interval)
      virtualCPU.deliverWaitingWrites()
    }
  }
}
