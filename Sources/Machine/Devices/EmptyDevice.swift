// SPDX-License-Identifier: Apache-2.0

/// Ports that a guest may touch although nothing is there: the PCI configuration ports of a
/// machine without PCI, and port 0x80, written to pass the time.
final class EmptyDevice: Device {
  func read(_ offset: Int, size: Int) -> UInt64 { .max }
  func write(_ offset: Int, _ value: UInt64, size: Int) {}
}
