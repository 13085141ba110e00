// SPDX-License-Identifier: Apache-2.0

/// Sorts executed instructions by the exit that they belong to.
struct ExitCollector {
  private(set) var exits: ExitCount.BySite = [:]
  /// The instructions of each exit of `followed`.
  private(set) var paths: [[UInt64]] = []

  /// Instructions of the guest.
  private let followed: Set<UInt64>
  private var site: UInt64 = 0
  private var count = ExitCount()
  private var path: [UInt64] = []

  init(following sites: Set<UInt64> = []) { followed = sites }

  /// In the order in which the CPU executes them, the guest's as well as the monitor's.
  mutating func executed(_ address: UInt64, readsVMCS: Bool = false, writesVMCS: Bool = false) {
    if CodePlace.monitor.contains(address) {
      count.instructions += 1
      if readsVMCS { count.vmreads += 1 }
      if writesVMCS { count.vmwrites += 1 }
      if followed.contains(site) { path.append(address) }
    } else if CodePlace.guest.contains(address) {
      finish()
      site = address
    }
  }

  /// The exit is over.
  mutating func finish() {
    guard count.instructions > 0 else { return }
    exits[site, default: []].append(count)
    if followed.contains(site) { paths.append(path) }
    count = ExitCount()
    path = []
  }
}
