// SPDX-License-Identifier: Apache-2.0

/// Where an MSR's two bits lie in the 8 KiB MSR permission map. APM vol. 2, 15.11.
public enum MSRBitmap {
  public static var size: Int { 8192 }

  /// The number of the read bit, counted from the map's start; the write bit follows it. Nil
  /// for an MSR that the map does not cover: all accesses to it exit.
  public static func readBit(of msr: UInt32) -> Int? {
    switch msr {
    case 0...0x1fff: Int(msr) * 2
    case 0xc000_0000...0xc000_1fff: 0x800 * 8 + Int(msr & 0x1fff) * 2
    case 0xc001_0000...0xc001_1fff: 0x1000 * 8 + Int(msr & 0x1fff) * 2
    default: nil
    }
  }

  /// Sets or clears the two bits of `msr` in the map at `base`.
  public static func set(
    _ base: UnsafeMutableRawPointer, _ msr: UInt32, reads: Bool, writes: Bool
  ) {
    guard let bit = readBit(of: msr) else { return }
    let shift = UInt8(bit & 7)
    let mask: UInt8 = 3 << shift
    let value = ((reads ? 1 : 0) | (writes ? 2 : 0) as UInt8) << shift
    let old = unsafe base.load(fromByteOffset: bit >> 3, as: UInt8.self)
    unsafe base.storeBytes(of: old & ~mask | value, toByteOffset: bit >> 3, as: UInt8.self)
  }
}
