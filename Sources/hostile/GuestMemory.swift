// SPDX-License-Identifier: Apache-2.0
import Generator
import Glibc
import HostileCalls

/// What the VMs have as memory: anonymous pages, and a file that shrinks. Parts of it are taken
/// away while guests run; the guests keep the pages that were pinned.
struct GuestMemory: Sendable {
  static let size = 2 << 20
  /// Real-mode code begins here.
  static let entry: UInt64 = 0x1000
  /// It writes to this port.
  static let port: UInt16 = 0x80

  let address: UInt
  let file: Int32
  let fileAddress: UInt

  /// Nil without memory to be had.
  init?() {
    file = hostile_memory_file(Self.size)
    guard file >= 0, let anonymous = Arena.reserve(Self.size),
      let shared = Arena.reserve(Self.size), Self.map(anonymous, PROT_READ | PROT_WRITE),
      mmap(shared, Self.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0) == shared
    else { return nil }
    anonymous.advanced(by: Int(Self.entry)).copyMemory(from: Self.code, byteCount: Self.code.count)
    address = UInt(bitPattern: anonymous)
    fileAddress = UInt(bitPattern: shared)
  }

  /// cpuid; out %al,$0x80; in $0x40,%al; inc 0x2000; jnz to the start; sti; hlt; then zeroes. Never
  /// noise: the translator of QEMU 10.0 dies of some of it (in tcg_optimize).
  private static let code: [UInt8] = [
    0x0f, 0xa2, 0xe6, 0x80, 0xe4, 0x40, 0xff, 0x06, 0x00, 0x20, 0x75, 0xf4, 0xfb, 0xf4,
  ]

  private static func map(
    _ start: UnsafeMutableRawPointer?, size: Int = size, _ protection: Int32
  ) -> Bool {
    mmap(start, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == start
  }

  /// Takes pages away, or gives others in their place.
  func disturb(_ generator: inout SplitMix64) {
    let offset = generator.below(Self.size / Arena.page) * Arena.page
    let size = min(Self.size - offset, (1 + generator.below(16)) * Arena.page)
    let start = UnsafeMutableRawPointer(bitPattern: address + UInt(offset))
    switch generator.below(8) {
    // As munmap(2) does it, but nothing else will be mapped there.
    case 0: _ = Self.map(start, size: size, PROT_NONE)
    case 1: mprotect(start, size, PROT_READ)
    case 2: ftruncate(file, off_t(generator.once(in: 2) ? 0 : Self.size))
    case 3: madvise(start, size, MADV_DONTNEED)
    case 4, 5: _ = Self.map(start, size: size, PROT_READ | PROT_WRITE)
    // All of it is back, or no slot could be made any more.
    default:
      _ = Self.map(UnsafeMutableRawPointer(bitPattern: address), PROT_READ | PROT_WRITE)
      ftruncate(file, off_t(Self.size))
    }
  }
}
