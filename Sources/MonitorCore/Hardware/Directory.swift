// SPDX-License-Identifier: Apache-2.0
import Contract
import X86

extension Processor {
  /// The physical address of page `number` of a struct apus_directory; 0 where it has none.
  func page(_ number: UInt64, ofDirectory first: HostPhysical) -> HostPhysical {
    let pages = UInt64(APUS_DIRECTORY_PAGES)
    var link = first
    var left = number
    while left >= pages {
      link = unsafe HostPhysical(map(link, at: .extents).load(as: UInt64.self))
      guard link != 0 else { return 0 }
      left -= pages
    }
    return unsafe HostPhysical(
      map(link, at: .extents).load(fromByteOffset: 8 * Int(left + 1), as: UInt64.self))
  }
}
