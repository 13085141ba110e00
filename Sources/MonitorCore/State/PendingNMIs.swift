// SPDX-License-Identifier: Apache-2.0

/// NMIs that wait for the guest.
extension VirtualCPU {
  /// A processor keeps one NMI while it handles another. The first of two that come together is one that
  /// a processor would handle already.
  @inline(never)
  func pendNMIs(_ count: UInt8) {
    let isHandling = unit.nmiBlocked || unit.injection?.kind == .nonMaskable
    let limit: UInt8 = (isHandling ? 1 : 2) - (unit.holdsNMI ? 1 : 0)
    state.pendingNMIs = min(state.pendingNMIs + count, limit)
  }
}
