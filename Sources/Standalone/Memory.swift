// SPDX-License-Identifier: Apache-2.0
import Contract

/// The machine's memory from the image's end to the monitor's file: given out in order, and taken
/// back all at once when a test is over.
enum Memory {
  @safe private nonisolated(unsafe) static var next: UInt64 = 0
  @safe private nonisolated(unsafe) static var end: UInt64 = 0

  static func begin(at address: UInt64, end limit: UInt64) {
    next = (address + 4095) & ~4095
    end = limit
  }

  /// Zeroed pages, physically contiguous, aligned to `alignment` bytes.
  static func pages(_ count: Int, alignment: UInt64 = 4096) -> Block {
    let address = (next + alignment - 1) & ~(alignment - 1)
    next = address + UInt64(count) * 4096
    guard next <= end else {
      Console.write("standalone: out of memory\n")
      Machine.end(success: false)
    }
    let block = Block(address: address, size: count * 4096)
    block.clear()
    return block
  }

  /// An area of the contract: 2 to the power of `order` pages, naturally aligned.
  static func area(order: UInt32) -> Block {
    pages(1 << Int(order), alignment: 4096 << UInt64(order))
  }

  /// Gives back what `body` takes.
  static func scratch<Result>(_ body: () -> Result) -> Result {
    let mark = next
    defer { next = mark }
    return body()
  }
}

/// The heap, for arrays: never given back (heap.S). Called by the Swift runtime.
@c(posix_memalign)
func allocateAligned(
  _ result: UnsafeMutablePointer<UnsafeMutableRawPointer?>, _ alignment: Int, _ size: Int
) -> Int32 {
  unsafe result.pointee = Heap.allocate(size, alignment: alignment)
  return unsafe result.pointee == nil ? 12 : 0
}

enum Heap {
  @safe private nonisolated(unsafe) static var next: UInt64 = 0
  @safe private nonisolated(unsafe) static var end: UInt64 = 0

  static func allocate(_ size: Int, alignment: Int) -> UnsafeMutableRawPointer? {
    if end == 0 {
      let block = Memory.pages(1024)
      next = block.address
      end = block.address + UInt64(block.size)
    }
    let address = (next + UInt64(alignment) - 1) & ~(UInt64(alignment) - 1)
    guard address + UInt64(size) <= end else { return nil }
    next = address + UInt64(size)
    return unsafe UnsafeMutableRawPointer(bitPattern: UInt(address))
  }
}
