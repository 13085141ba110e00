// SPDX-License-Identifier: Apache-2.0
import X86

/// INS and OUTS. Elements in one page of memory go between client and guest in one block.
extension Emulator {
  /// INS: how many elements were read.
  mutating func input(_ context: some EmulatorContext) throws(Stop) -> UInt64 {
    let size = portSize
    let destination = try destination(context, size: size, isWrite: true)
    let count = blockCount(context, .es, register: 7, destination, isWrite: true)
    if count > 1, let data = unsafe context.blockData(port: port(context), size: size) {
      let access = DeviceAccess(
        .port, at: port(context), size: size, count: UInt16(truncatingIfNeeded: count))
      _ = try readDevice(context, access)
      if let memory = unsafe context.memory(at: destination.physical, isWrite: true) {
        unsafe memory.copyMemory(from: data, byteCount: Int(count) * Int(size))
      }
      step(context, register: 7, by: count)
      return count
    }
    let value = try readDevice(context, DeviceAccess(.port, at: port(context), size: size))
    store(context, destination, value)
    step(context, register: 7, by: 1)
    return 1
  }

  /// OUTS: how many elements were written.
  mutating func output(_ context: some EmulatorContext) throws(Stop) -> UInt64 {
    let size = portSize
    let source = try source(context, size: size)
    let count = blockCount(context, instruction.segment, register: 6, source, isWrite: false)
    if count > 1, let data = unsafe context.blockData(port: port(context), size: size),
      let memory = unsafe context.memory(at: source.physical, isWrite: false)
    {
      unsafe data.copyMemory(from: memory, byteCount: Int(count) * Int(size))
      writeDevice(
        context,
        DeviceAccess(
          .port, at: port(context), size: size, count: UInt16(truncatingIfNeeded: count),
          isWrite: true))
      step(context, register: 6, by: count)
      return count
    }
    let value = try load(context, source)
    writeDevice(
      context, DeviceAccess(.port, at: port(context), size: size, isWrite: true, value: value))
    step(context, register: 6, by: 1)
    return 1
  }

  /// Ports are at most four bytes wide.
  private var portSize: UInt8 { mutating get { min(instruction.size, 4) } }
  private mutating func port(_ context: some EmulatorContext) -> UInt64 {
    context.registers[2] & 0xffff
  }

  /// Elements from this one to the end of its page, if it is memory and all may be accessed.
  private mutating func blockCount(
    _ context: some EmulatorContext, _ segment: SegmentName, register: UInt8,
    _ place: MemoryPlace, isWrite: Bool
  ) -> UInt64 {
    let size = UInt64(portSize)
    guard instruction.repetition != .none, place.firstSize == place.size,
      !flags.contains(.direction), !flags.contains(.trap),
      unsafe context.memory(at: place.physical, isWrite: isWrite) != nil
    else { return 1 }
    let width = mask(instruction.addressSize)
    let wanted = context.registers[1] & width
    let count = min(wanted, (4096 - place.physical.offsetInPage) / size)
    // The segment ends, or the offset wraps round, before the block does.
    let first = context.registers[register] & width
    let last = first &+ (count - 1) * size
    guard last <= width else { return 1 }
    do throws(Stop) {
      _ = try linear(context, segment, last, size: portSize, isWrite: isWrite)
    } catch {
      return 1
    }
    return count
  }

  private mutating func step(
    _ context: some EmulatorContext, register: UInt8, by count: UInt64
  ) {
    let distance = count &* UInt64(portSize)
    setRegister(
      context, register, instruction.addressSize,
      flags.contains(.direction)
        ? context.registers[register] &- distance : context.registers[register] &+ distance)
  }
}
