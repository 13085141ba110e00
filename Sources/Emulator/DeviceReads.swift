// SPDX-License-Identifier: Apache-2.0

/// What the client has read for the current instruction, in order. An instruction reads at most two
/// places, each in at most three parts.
struct DeviceReads {
  private var accesses: InlineArray<6, DeviceAccess> = InlineArray(
    repeating: DeviceAccess(.memory, at: 0, size: 0))
  private var count = 0
  private var position = 0

  mutating func removeAll() {
    count = 0
    position = 0
  }

  /// The instruction starts again.
  mutating func rewind() { position = 0 }

  mutating func append(_ access: DeviceAccess, _ value: UInt64) {
    guard count < accesses.count else { return }
    accesses[count] = access
    accesses[count].value = value & mask(access.size)
    count += 1
  }

  /// The answer to an access that was made before. An instruction that reads something else this
  /// time, because the guest changed its registers or memory, is answered anew.
  mutating func replay(_ access: DeviceAccess) -> UInt64? {
    guard position < count else { return nil }
    let known = accesses[position]
    guard known.address == access.address, known.size == access.size,
      known.count == access.count, known.space == access.space
    else {
      count = position
      return nil
    }
    position += 1
    return known.value
  }
}

/// Writes to devices that the client has to be told of, in order. One instruction writes at most one
/// place, in at most three parts.
struct DeviceWrites {
  private var accesses: InlineArray<3, DeviceAccess> = InlineArray(
    repeating: DeviceAccess(.memory, at: 0, size: 0))
  private var count = 0
  private var position = 0

  var isEmpty: Bool { position == count }

  mutating func removeAll() {
    count = 0
    position = 0
  }

  mutating func append(_ access: DeviceAccess) {
    guard count < accesses.count else { return }
    accesses[count] = access
    count += 1
  }

  mutating func removeFirst() -> DeviceAccess? {
    guard position < count else {
      removeAll()
      return nil
    }
    position += 1
    return accesses[position - 1]
  }
}

/// The bits of a value of `size` bytes.
@inline(__always) func mask(_ size: UInt8) -> UInt64 {
  size >= 8 ? .max : 1 &<< (UInt64(size) &* 8) &- 1
}

/// A value of `size` bytes, sign-extended.
@inline(__always) func signed(_ value: UInt64, _ size: UInt8) -> Int64 {
  let unused = 64 &- UInt64(size) &* 8
  return Int64(bitPattern: value &<< unused) &>> Int64(unused)
}
