// SPDX-License-Identifier: Apache-2.0
import Generator
import Glibc

/// A thread's own memory for arguments, with the pages around it that calls stumble over.
struct Arena {
  static let page = 4096
  private static let size = 16 * page

  /// Memory with nothing behind it, so that answers which are too long hit nothing of this program.
  static func reserve(_ size: Int) -> UnsafeMutableRawPointer? {
    let memory = mmap(
      nil, size + Self.size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    return memory == MAP_FAILED ? nil : memory
  }

  /// Filled anew for each call.
  let buffer: UnsafeMutableRawPointer
  /// The last page of `buffer` ends where nothing is mapped.
  private let end: UInt
  private let readOnly: UInt

  /// Nil without memory to be had.
  init?() {
    let protection = PROT_READ | PROT_WRITE
    let memory = mmap(
      nil, Self.size + 2 * Self.page, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let memory, memory != MAP_FAILED else { return nil }
    buffer = memory
    end = UInt(bitPattern: memory) + UInt(Self.size)
    readOnly = end + UInt(Self.page)
    mprotect(UnsafeMutableRawPointer(bitPattern: end), Self.page, PROT_NONE)
    mprotect(UnsafeMutableRawPointer(bitPattern: readOnly), Self.page, PROT_READ)
  }

  var address: UInt64 { UInt64(UInt(bitPattern: buffer)) }
  /// Room for what an argument points to.
  var second: UInt64 { address + UInt64(Self.page) }

  /// A place where the kernel must not simply read or write.
  func hostileAddress(_ generator: inout SplitMix64, _ targets: Targets) -> UInt64 {
    switch generator.below(12) {
    case 0: 0
    case 1: generator.next()
    case 2: UInt64(generator.below(Self.page))
    case 3: UInt64(readOnly)
    // From one page into nothing, at any alignment.
    case 4, 5: UInt64(end) - UInt64(generator.below(256))
    case 6: UInt64(end)
    // The last bytes of the lower half, and what is above it.
    case 7: 0x7fff_ffff_f000 - UInt64(generator.below(64))
    case 8: 0xffff_8880_0000_0000 + generator.next() % (1 << 30)
    case 9: 0xffff_ffff_8100_0000 + generator.next() % (1 << 24)
    // Memory that a guest or a monitor writes at the same time.
    case 10: UInt64(targets.memory.address) + UInt64(generator.below(GuestMemory.size))
    default: UInt64(generator.element(of: generator.element(of: targets.runAreas)))
    }
  }

  /// Nothing, noise, a few bits, or small numbers.
  func fill(_ generator: inout SplitMix64) {
    let words = buffer.assumingMemoryBound(to: UInt64.self)
    let count = Self.page / 8
    buffer.initializeMemory(as: UInt8.self, repeating: 0, count: Self.page)
    switch generator.below(4) {
    case 0: break
    case 1: for index in 0..<count { words[index] = generator.next() }
    case 2:
      for _ in 0..<8 { words[generator.below(64)] = generator.next() >> generator.next() % 64 }
    default: for index in 0..<32 { words[index] = UInt64(generator.below(4)) }
    }
  }

  func word(at index: Int) -> UInt64 {
    buffer.load(fromByteOffset: index * 8, as: UInt64.self)
  }

  func store<Value>(_ value: Value, at offset: Int = 0) {
    buffer.storeBytes(of: value, toByteOffset: offset, as: Value.self)
  }
}
