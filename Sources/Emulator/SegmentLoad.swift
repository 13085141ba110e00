// SPDX-License-Identifier: Apache-2.0
import X86

/// What a segment register holds after a selector is loaded. SDM vol. 2, MOV, LLDT and LTR.
extension Emulator {
  mutating func segment(
    _ context: some EmulatorContext, _ name: SegmentName, selector: UInt16
  ) throws(Stop) -> Segment {
    let isSystem = name == .ldtr || name == .tr
    let isProtected =
      context.controlRegister0.contains(.protectionEnable) && !flags.contains(.virtual8086)
    guard isProtected else {
      // LLDT and LTR are of protected mode.
      if isSystem { throw raise(GuestFault(.invalidOpcode)) }
      var segment = context[name]
      segment.selector = selector
      segment.base = UInt64(selector) << 4
      return segment
    }
    if isSystem, context.privilegeLevel != 0 { throw raise(.generalProtection) }
    if selector & 0xfffc == 0 { return try nullSegment(context, name, selector) }
    let place = try descriptorPlace(context, name, selector)
    let low = try load(context, place.low)
    let descriptor = SegmentDescriptor(low)
    try check(context, name, descriptor, selector)
    var segment = descriptor.segment(selector: selector)
    if let upper = place.high { segment.base |= try load(context, upper) << 32 }
    let marked = descriptor.marked(isTask: name == .tr)
    if marked != low {
      store(context, place.low, marked)
      segment.attributes = SegmentDescriptor(marked).attributes
    }
    return segment
  }

  private mutating func nullSegment(
    _ context: some EmulatorContext, _ name: SegmentName, _ selector: UInt16
  ) throws(Stop) -> Segment {
    let isAllowed =
      switch name {
      case .tr: false
      // SDM vol. 3, 5.4.1.1.
      case .ss:
        instruction.mode == .bits64 && context.privilegeLevel != 3
          && selector & 3 == UInt16(context.privilegeLevel)
      default: true
      }
    if !isAllowed { throw raise(.generalProtection) }
    let level = name == .ss ? UInt32(context.privilegeLevel) << 5 : 0
    return Segment(
      selector: selector, attributes: SegmentAttributes(rawValue: 1 << 16 | level), limit: 0)
  }

  /// A descriptor's eight bytes, and the upper half of a base of 64 bits.
  private struct DescriptorPlace {
    var low: MemoryPlace
    var high: MemoryPlace?
  }

  private mutating func descriptorPlace(
    _ context: some EmulatorContext, _ name: SegmentName, _ selector: UInt16
  ) throws(Stop) -> DescriptorPlace {
    let isSystem = name == .ldtr || name == .tr
    let isWide = isSystem && context.isLongModeActive
    let isLocal = selector & 4 != 0
    if isSystem, isLocal { throw selectorFault(selector) }
    let offset = UInt64(selector & 0xfff8)
    var table = context.globalDescriptorTable.base
    var limit = UInt64(context.globalDescriptorTable.limit)
    if isLocal {
      let segment = context[.ldtr]
      table = segment.base
      limit = segment.attributes.isUnusable ? 0 : UInt64(segment.limit)
    }
    guard offset + (isWide ? 15 : 7) <= limit else { throw selectorFault(selector) }
    let linear = Linear(table &+ offset)
    // The accessed and the busy bit are written.
    return DescriptorPlace(
      low: try systemPlace(context, linear, size: 8),
      high: isWide ? try systemPlace(context, linear + 8, size: 4) : nil)
  }

  /// Memory that the processor accesses for itself, whatever the privilege level.
  private mutating func systemPlace(
    _ context: some EmulatorContext, _ linear: Linear, size: UInt8
  ) throws(Stop) -> MemoryPlace {
    do throws(GuestFault) {
      let first = try context.translate(linear, Access())
      let firstSize = min(UInt64(size), 4096 - linear.offsetInPage)
      let second =
        firstSize < UInt64(size) ? try context.translate(linear + firstSize, Access()) : 0
      return MemoryPlace(
        physical: first, second: second, size: size,
        firstSize: UInt8(truncatingIfNeeded: firstSize))
    } catch {
      throw raise(error)
    }
  }

  private mutating func check(
    _ context: some EmulatorContext, _ name: SegmentName, _ descriptor: SegmentDescriptor,
    _ selector: UInt16
  ) throws(Stop) {
    let attributes = descriptor.attributes
    let level = context.privilegeLevel
    let requested = UInt8(truncatingIfNeeded: selector & 3)
    let type = attributes.type
    var absent = ExceptionVector.segmentNotPresent
    var isAllowed: Bool
    switch name {
    case .ldtr: isAllowed = !attributes.isCodeOrData && type == 2
    case .tr:
      let isAvailable = type == 9 || type == 1 && !context.isLongModeActive
      isAllowed = !attributes.isCodeOrData && isAvailable
    case .ss:
      absent = .stackFault
      isAllowed =
        attributes.isCodeOrData && type & 0xa == 2 && requested == level
        && attributes.privilegeLevel == level
    default:
      let isConforming = type & 0xc == 0xc
      isAllowed = attributes.isCodeOrData && type & 0xa != 8
      if !isConforming, max(requested, level) > attributes.privilegeLevel { isAllowed = false }
    }
    if !isAllowed { throw selectorFault(selector) }
    if !attributes.isPresent { throw selectorFault(selector, absent) }
  }

  private mutating func selectorFault(
    _ selector: UInt16, _ vector: ExceptionVector = .generalProtection
  ) -> Stop {
    raise(GuestFault(vector, errorCode: UInt32(selector & 0xfffc)))
  }
}

/// The eight bytes of a segment descriptor. SDM vol. 3, 3.4.5.
struct SegmentDescriptor {
  let rawValue: UInt64
  init(_ rawValue: UInt64) { self.rawValue = rawValue }

  var attributes: SegmentAttributes {
    SegmentAttributes(rawValue: UInt32(truncatingIfNeeded: rawValue >> 40) & 0xf0ff)
  }

  func segment(selector: UInt16) -> Segment {
    let base = rawValue >> 16 & 0xff_ffff | rawValue >> 32 & 0xff00_0000
    var limit = UInt32(truncatingIfNeeded: rawValue & 0xffff | rawValue >> 32 & 0xf_0000)
    if attributes.isPageGranular { limit = limit << 12 | 0xfff }
    return Segment(selector: selector, attributes: attributes, limit: limit, base: base)
  }

  /// With its accessed bit, or of a task with its busy bit.
  func marked(isTask: Bool) -> UInt64 {
    if isTask { return rawValue | 1 << 41 }
    return attributes.isCodeOrData ? rawValue | 1 << 40 : rawValue
  }
}
