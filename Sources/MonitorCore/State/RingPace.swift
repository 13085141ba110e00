// SPDX-License-Identifier: Apache-2.0

/// When a VM may ring the driver's doorbell for something that its guest did: each ring is an
/// interrupt of a host CPU, and a guest can produce them faster than a host takes them.
struct RingPace: Sendable {
  private var earliest: UInt64 = 0

  /// The moment of another ring, at least `interval` after the one before it. With one of each vCPU
  /// that waits for its moment it is near; a clock that went back is not waited for.
  mutating func next(now: UInt64, interval: UInt64) -> UInt64 {
    let isNear = earliest > now && earliest &- now <= interval &* 16
    let moment = isNear ? earliest : now
    earliest = moment &+ interval
    return moment
  }
}
