// SPDX-License-Identifier: Apache-2.0

/// Where an MSR's two bits lie in the 4 KiB MSR bitmaps: reads of low MSRs, of high ones, then
/// writes of both. SDM vol. 3, 25.6.9.
public enum MSRBitmap {
  public static var size: Int { 4096 }
  /// From a read bit to the write bit of the same MSR, in bytes.
  static var writeOffset: Int { 0x800 }

  /// The number of the read bit, counted from the bitmaps' start. Nil for an MSR that they do not
  /// cover: all accesses to it exit.
  public static func readBit(of msr: UInt32) -> Int? {
    switch msr {
    case 0...0x1fff: Int(msr)
    case 0xc000_0000...0xc000_1fff: 0x400 * 8 + Int(msr & 0x1fff)
    default: nil
    }
  }

  /// Sets or clears the two bits of `msr` in the bitmaps at `base`.
  public static func set(
    _ base: UnsafeMutableRawPointer, _ msr: UInt32, reads: Bool, writes: Bool
  ) {
    guard let bit = readBit(of: msr) else { return }
    unsafe set(base + bit >> 3, bit & 7, reads)
    unsafe set(base + writeOffset + bit >> 3, bit & 7, writes)
  }

  private static func set(_ byte: UnsafeMutableRawPointer, _ bit: Int, _ value: Bool) {
    let mask: UInt8 = 1 << UInt8(bit)
    let old = unsafe byte.load(as: UInt8.self)
    unsafe byte.storeBytes(of: value ? old | mask : old & ~mask, as: UInt8.self)
  }
}
