// SPDX-License-Identifier: Apache-2.0
import X86

/// Where an operand of up to sixteen bytes lies in guest-physical memory. Its pages need not
/// follow each other, and each is memory or a device by itself.
struct MemoryPlace {
  var physical: GuestPhysical
  /// Of the bytes from `firstSize` on; meaningless where all lie in one page.
  var second: GuestPhysical
  var size: UInt8
  var firstSize: UInt8
}

extension Emulator {
  /// Where rm lies.
  @inline(never)
  mutating func place(
    _ context: some EmulatorContext, size: UInt8, isWrite: Bool
  ) throws(Stop) -> MemoryPlace {
    let offset = offset(context)
    return try place(context, instruction.segment, offset, size: size, isWrite: isWrite)
  }

  /// Translates every page of an operand before any of it is read or written.
  @inline(never)
  mutating func place(
    _ context: some EmulatorContext, _ segment: SegmentName, _ offset: UInt64, size: UInt8,
    isWrite: Bool
  ) throws(Stop) -> MemoryPlace {
    let linear = try linear(context, segment, offset, size: size, isWrite: isWrite)
    if instruction.isAligned, linear.rawValue & UInt64(size &- 1) != 0 {
      throw raise(.generalProtection)
    }
    guard linear.offsetInPage &+ UInt64(size) <= 4096 else {
      return try crossingPlace(context, linear, size: size, isWrite: isWrite)
    }
    // The processor has translated the only address that this instruction accesses.
    let isKnown =
      linear.offsetInPage == faultAddress.offsetInPage && faultAddress != Self.noAddress
      && !instruction.operation.hasSeveralPlaces
    let physical =
      isKnown ? faultAddress : try translate(context, linear, isWrite: isWrite)
    return MemoryPlace(physical: physical, second: 0, size: size, firstSize: size)
  }

  private mutating func crossingPlace(
    _ context: some EmulatorContext, _ linear: Linear, size: UInt8, isWrite: Bool
  ) throws(Stop) -> MemoryPlace {
    let firstSize = UInt8(truncatingIfNeeded: 4096 - linear.offsetInPage)
    var upper = linear + UInt64(firstSize)
    if instruction.mode != .bits64 { upper = Linear(upper.rawValue & 0xffff_ffff) }
    let first = try translate(context, linear, isWrite: isWrite)
    let second = try translate(context, upper, isWrite: isWrite)
    return MemoryPlace(physical: first, second: second, size: size, firstSize: firstSize)
  }

  private mutating func translate(
    _ context: some EmulatorContext, _ linear: Linear, isWrite: Bool
  ) throws(Stop) -> GuestPhysical {
    let access = Access(
      isWrite: isWrite, isUser: context.privilegeLevel == 3,
      overridesSMAP: flags.contains(.alignmentCheck))
    do throws(GuestFault) {
      return try context.translate(linear, access)
    } catch {
      throw raise(error)
    }
  }

  /// The value at a place of at most eight bytes.
  @inline(never)
  mutating func load(_ context: some EmulatorContext, _ place: MemoryPlace) throws(Stop) -> UInt64 {
    let first = try loadPart(context, place.physical, place.firstSize)
    guard place.firstSize < place.size else { return first }
    let second = try loadPart(context, place.second, place.size &- place.firstSize)
    return first | second &<< (UInt64(place.firstSize) &* 8)
  }

  /// Writes a place of at most eight bytes. Whatever can fail has been done before.
  @inline(never)
  mutating func store(_ context: some EmulatorContext, _ place: MemoryPlace, _ value: UInt64) {
    storePart(context, place.physical, place.firstSize, value)
    guard place.firstSize < place.size else { return }
    storePart(
      context, place.second, place.size &- place.firstSize,
      value &>> (UInt64(place.firstSize) &* 8))
  }

  mutating func loadWide(_ context: some EmulatorContext, _ place: MemoryPlace) throws(Stop) -> Wide
  {
    var value = Wide()
    var done: UInt8 = 0
    while done < place.size {
      let size = partSize(place, done)
      value.insert(try loadPart(context, partAddress(place, done), size), at: done)
      done &+= size
    }
    return value
  }

  mutating func storeWide(_ context: some EmulatorContext, _ place: MemoryPlace, _ value: Wide) {
    var done: UInt8 = 0
    while done < place.size {
      let size = partSize(place, done)
      storePart(context, partAddress(place, done), size, value.extract(at: done))
      done &+= size
    }
  }

  /// A part ends after eight bytes, and at its page's end.
  private mutating func partSize(_ place: MemoryPlace, _ done: UInt8) -> UInt8 {
    min(8, (done < place.firstSize ? place.firstSize : place.size) &- done)
  }

  private mutating func partAddress(_ place: MemoryPlace, _ done: UInt8) -> GuestPhysical {
    done < place.firstSize
      ? place.physical + UInt64(done) : place.second + UInt64(done &- place.firstSize)
  }
}

extension Wide {
  /// Sets bytes that are zero.
  mutating func insert(_ value: UInt64, at byte: UInt8) {
    let bits = UInt64(byte & 7) * 8
    if byte >= 8 {
      high |= value &<< bits
    } else {
      low |= value &<< bits
      if bits != 0 { high |= value &>> (64 - bits) }
    }
  }

  /// Eight bytes from `byte` on.
  func extract(at byte: UInt8) -> UInt64 {
    let bits = UInt64(byte & 7) * 8
    if byte >= 8 { return high &>> bits }
    return bits == 0 ? low : low &>> bits | high &<< (64 - bits)
  }
}
