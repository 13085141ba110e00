// SPDX-License-Identifier: Apache-2.0
import LatencyGuest

/// The guest of `apus latency` in the shape of a bzImage: Linux's Documentation/arch/x86/boot.rst, protocol 2.12.
enum LatencyGuestImage {
  static let memorySize: UInt64 = 32 << 20
  private static let setupSize = 2 * 512
  /// From the kernel's start to its 64-bit entry point.
  private static let entryOffset = 0x200

  /// The guest's instructions.
  static var code: [UInt8] {
    [UInt8](UnsafeBufferPointer(start: latency_guest_code(), count: Int(latency_guest_size())))
  }

  static func loader() throws(SetupError) -> BootLoader {
    let image: LinuxImage
    do {
      image = try LinuxImage(file)
    } catch {
      throw .kernel(path: "the guest of apus latency", error)
    }
    do {
      return try BootLoader(image: image, commandLine: "", initrd: [], memorySize: memorySize)
    } catch {
      throw .boot(error)
    }
  }

  static var file: [UInt8] {
    let code = code
    let kernelSize = (entryOffset + code.count + 1023) & ~1023
    var file = [UInt8](repeating: 0, count: setupSize + kernelSize)
    file.store(UInt8(1), at: 0x1f1)  // sectors of setup, after the first
    file.store(UInt32(kernelSize / 16), at: 0x1f4)
    file.store(UInt16(0xaa55), at: 0x1fe)
    file.store(UInt16(0x66eb), at: 0x200)  // a jump to the header's end, 0x268
    file.store(UInt32(0x5372_6448), at: 0x202)  // HdrS
    file.store(UInt16(0x020c), at: 0x206)
    file.store(UInt8(1), at: 0x211)  // loaded at 1 MiB or above
    file.store(UInt32(0x7fff_ffff), at: 0x22c)  // the highest address of an initrd
    file.store(UInt16(1), at: 0x236)  // has a 64-bit entry point
    file.store(UInt32(2047), at: 0x238)  // the longest command line
    file.store(UInt64(0x100_0000), at: 0x258)  // where it wants to be
    file.store(UInt32(1 << 20), at: 0x260)
    file.replaceSubrange(
      (setupSize + entryOffset)..<(setupSize + entryOffset + code.count), with: code)
    return file
  }
}
