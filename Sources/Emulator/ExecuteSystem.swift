// SPDX-License-Identifier: Apache-2.0
import X86

/// Segment registers and the machine status word.
extension Emulator {
  /// MOV from a segment register, SLDT, STR and SMSW: two bytes of memory, or a whole register.
  mutating func storeSystemWord(_ context: some EmulatorContext) throws(Stop) {
    let value =
      switch instruction.operation {
      case .storeLocalTable: UInt64(context[.ldtr].selector)
      case .storeTask: UInt64(context[.tr].selector)
      case .storeStatusWord: context.controlRegister0.rawValue
      default: UInt64(context[SegmentName(rawValue: Int(instruction.field)) ?? .ds].selector)
      }
    try writeRM(context, size: instruction.isMemory ? 2 : instruction.size, value)
  }

  mutating func loadStatusWord(_ context: some EmulatorContext) throws(Stop) {
    let value = UInt16(truncatingIfNeeded: try readRM(context, size: 2))
    do throws(GuestFault) {
      try context.loadStatusWord(value)
    } catch {
      throw raise(error)
    }
  }

  /// MOV and POP to a segment register, LLDT and LTR.
  mutating func loadSelector(_ context: some EmulatorContext) throws(Stop) {
    let isPop = instruction.operation == .popSegment
    let value = isPop ? try topValue(context) : try readRM(context, size: 2)
    let name: SegmentName =
      switch instruction.operation {
      case .popSegment: pushedSegment
      case .loadLocalTable: .ldtr
      case .loadTask: .tr
      default: SegmentName(rawValue: Int(instruction.field)) ?? .ds
      }
    context[name] = try segment(
      context, name, selector: UInt16(truncatingIfNeeded: value))
    if isPop { dropTop(context) }
    if name == .ss {
      // MOV SS and POP SS hold debug exceptions off as well. SDM vol. 3, 6.8.3.
      completion.insert(.interruptShadow)
      completion.remove(.singleStep)
    }
  }
}
