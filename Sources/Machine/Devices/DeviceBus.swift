// SPDX-License-Identifier: Apache-2.0

/// Finds the device behind a port or an address. Where there is none, reads give all ones and
/// writes vanish, as on a PC.
struct DeviceBus: Sendable {
  private struct Place: Sendable {
    let range: ClosedRange<UInt64>
    let device: any Device

    /// Whether the access does not reach beyond the device; else it goes byte by byte.
    func holds(_ address: UInt64, size: Int) -> Bool {
      address + UInt64(size) - 1 <= range.upperBound
    }
  }

  private var places: [Place] = []
  private var free: [ClosedRange<UInt64>] = []

  /// No device comes to these ports.
  mutating func keepFree(_ ranges: [PortRange]) {
    free += ranges.map { UInt64($0.ports.lowerBound)...UInt64($0.ports.upperBound) }
  }

  /// Puts `device` at `count` ports or bytes from `start`, unless some of them are kept free.
  mutating func attach(_ device: any Device, at start: UInt64, count: UInt64) {
    let range = start...(start + count - 1)
    guard !free.contains(where: range.overlaps) else { return }
    precondition(!places.contains { $0.range.overlaps(range) }, "two devices in one place")
    places.append(Place(range: range, device: device))
  }

  func holds(_ address: UInt64) -> Bool { place(of: address) != nil }

  func read(_ address: UInt64, size: Int) -> UInt64 {
    guard let place = place(of: address) else { return .max }
    guard place.holds(address, size: size) else {
      return (0..<UInt64(size)).reduce(0) { $0 | (read(address + $1, size: 1) & 0xff) << (8 * $1) }
    }
    return place.device.read(Int(address - place.range.lowerBound), size: size)
  }

  func write(_ address: UInt64, _ value: UInt64, size: Int) {
    guard let place = place(of: address) else { return }
    guard place.holds(address, size: size) else {
      for byte in 0..<UInt64(size) { write(address + byte, value >> (8 * byte) & 0xff, size: 1) }
      return
    }
    place.device.write(Int(address - place.range.lowerBound), value, size: size)
  }

  private func place(of address: UInt64) -> Place? {
    places.first { $0.range.contains(address) }
  }
}
