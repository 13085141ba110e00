// SPDX-License-Identifier: Apache-2.0

/// Finds the device behind a port or an address. Where there is none, reads give all ones and
/// writes vanish, as on a PC.
struct DeviceBus: Sendable {
  private struct Place: Sendable {
    let range: ClosedRange<UInt64>
    let device: any Device
  }

  private var places: [Place] = []

  /// Puts `device` at `count` ports or bytes from `start`.
  mutating func attach(_ device: any Device, at start: UInt64, count: UInt64) {
    let range = start...(start + count - 1)
    precondition(!places.contains { $0.range.overlaps(range) }, "two devices in one place")
    places.append(Place(range: range, device: device))
  }

  func read(_ address: UInt64, size: Int) -> UInt64 {
    guard let place = place(of: address) else { return .max }
    return place.device.read(Int(address - place.range.lowerBound), size: size)
  }

  func write(_ address: UInt64, _ value: UInt64, size: Int) {
    guard let place = place(of: address) else { return }
    place.device.write(Int(address - place.range.lowerBound), value, size: size)
  }

  private func place(of address: UInt64) -> Place? {
    places.first { $0.range.contains(address) }
  }
}
