// SPDX-License-Identifier: Apache-2.0

/// A guest of a few instructions in the shape of a Linux bzImage: for what is about the CPU that a
/// guest has, and not about the guest.
enum SmallKernel: String, CaseIterable {
  /// Powers off at once.
  case off
  /// Looks at its power button without a pause, and powers off once it is pressed.
  case button
  /// Never gives its CPU away, interrupts off.
  case spin
  /// Sleeps for good: interrupts off.
  case halt
  /// Ends in a triple fault.
  case fault

  /// From the 64-bit entry point on, where nothing but the first memory is mapped.
  private var code: [UInt8] {
    switch self {
    case .off:
      // mov $0x604,%dx; mov $0x3400,%ax; out %ax,(%dx): PM1 control gets \_S5's SLP_TYP and SLP_EN.
      [0x66, 0xba, 0x04, 0x06, 0x66, 0xb8, 0x00, 0x34, 0x66, 0xef] + Self.halt.code
    case .button:
      // mov $0x602,%dx; mov $0x100,%ax; out %ax,(%dx): PM1 enable gets PWRBTN_EN.
      [0x66, 0xba, 0x02, 0x06, 0x66, 0xb8, 0x00, 0x01, 0x66, 0xef]
        // mov $0x600,%dx; in (%dx),%ax; test $1,%ah; jz to the in: PWRBTN_STS of PM1 status.
        + [0x66, 0xba, 0x00, 0x06, 0x66, 0xed, 0xf6, 0xc4, 0x01, 0x74, 0xf9] + Self.off.code
    case .spin: [0xeb, 0xfe]  // jmp .
    case .halt: [0xfa, 0xf4, 0xeb, 0xfd]  // cli; hlt; jmp to the hlt
    case .fault: [0x0f, 0x0b]  // ud2, without an interrupt table
    }
  }

  /// The file (Linux's Documentation/arch/x86/boot.rst, protocol 2.12).
  var image: [UInt8] {
    let setupSize = 2 * 512
    let kernelSize = 2 * 512
    var file = [UInt8](repeating: 0, count: setupSize + kernelSize)
    func put(_ value: some FixedWidthInteger, at offset: Int) {
      withUnsafeBytes(of: value.littleEndian) { bytes in
        for (index, byte) in bytes.enumerated() { file[offset + index] = byte }
      }
    }
    put(UInt8(1), at: 0x1f1)  // sectors of setup, after the first
    put(UInt32(kernelSize / 16), at: 0x1f4)
    put(UInt16(0xaa55), at: 0x1fe)
    put(UInt16(0x66eb), at: 0x200)  // a jump to the header's end, 0x268
    put(UInt32(0x5372_6448), at: 0x202)  // HdrS
    put(UInt16(0x020c), at: 0x206)
    put(UInt8(1), at: 0x211)  // loaded at 1 MiB or above
    put(UInt32(0x7fff_ffff), at: 0x22c)  // the highest address of an initrd
    put(UInt16(1), at: 0x236)  // has a 64-bit entry point
    put(UInt32(2047), at: 0x238)  // the longest command line
    put(UInt64(0x100_0000), at: 0x258)  // where it wants to be
    put(UInt32(kernelSize), at: 0x260)
    for (index, byte) in code.enumerated() { file[setupSize + 0x200 + index] = byte }
    return file
  }
}
