// SPDX-License-Identifier: Apache-2.0
import X86

/// Accesses of at most eight bytes within one page: memory, or a device.
extension Emulator {
  @inline(never)
  mutating func loadPart(
    _ context: some EmulatorContext, _ physical: GuestPhysical, _ size: UInt8
  ) throws(Stop) -> UInt64 {
    if let memory = unsafe context.memory(at: physical, isWrite: false) {
      return unsafe loadBytes(memory, size)
    }
    return try readDevice(context, DeviceAccess(.memory, at: physical.rawValue, size: size))
  }

  @inline(never)
  mutating func storePart(
    _ context: some EmulatorContext, _ physical: GuestPhysical, _ size: UInt8, _ value: UInt64
  ) {
    if let memory = unsafe context.memory(at: physical, isWrite: true) {
      return unsafe storeBytes(memory, size, value)
    }
    writeDevice(
      context,
      DeviceAccess(
        .memory, at: physical.rawValue, size: size, isWrite: true, value: value & mask(size)))
  }

  mutating func readDevice(
    _ context: some EmulatorContext, _ access: DeviceAccess
  ) throws(Stop) -> UInt64 {
    if let value = reads.replay(access) { return value }
    if let value = context.readDevice(access) { return value & mask(access.size) }
    throw ask(access)
  }

  /// What comes after a write that waits, waits as well.
  mutating func writeDevice(_ context: some EmulatorContext, _ access: DeviceAccess) {
    if writes.isEmpty, context.writeDevice(access) { return }
    writes.append(access)
  }
}

/// The sizes of operands are loaded and stored at once, for others of the guest's CPUs look on.
private func loadBytes(_ memory: UnsafeMutableRawPointer, _ size: UInt8) -> UInt64 {
  switch size {
  case 1: return unsafe UInt64(memory.load(as: UInt8.self))
  case 2: return unsafe UInt64(memory.loadUnaligned(as: UInt16.self))
  case 4: return unsafe UInt64(memory.loadUnaligned(as: UInt32.self))
  case 8: return unsafe memory.loadUnaligned(as: UInt64.self)
  default:
    var value: UInt64 = 0
    for byte in 0..<Int(size) {
      value |= unsafe UInt64(memory.load(fromByteOffset: byte, as: UInt8.self)) << UInt64(byte * 8)
    }
    return value
  }
}

private func storeBytes(_ memory: UnsafeMutableRawPointer, _ size: UInt8, _ value: UInt64) {
  switch size {
  case 1: unsafe memory.storeBytes(of: UInt8(truncatingIfNeeded: value), as: UInt8.self)
  case 2: unsafe memory.storeBytes(of: UInt16(truncatingIfNeeded: value), as: UInt16.self)
  case 4: unsafe memory.storeBytes(of: UInt32(truncatingIfNeeded: value), as: UInt32.self)
  case 8: unsafe memory.storeBytes(of: value, as: UInt64.self)
  default:
    for byte in 0..<Int(size) {
      unsafe memory.storeBytes(
        of: UInt8(truncatingIfNeeded: value >> UInt64(byte * 8)), toByteOffset: byte,
        as: UInt8.self)
    }
  }
}
