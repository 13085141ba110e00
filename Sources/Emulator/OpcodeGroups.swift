// SPDX-License-Identifier: Apache-2.0

/// Opcodes whose operation ModRM's reg field names. SDM vol. 2, table A-6.
extension OpcodeRow {
  /// This line with the group's operation; `isWide` is REX.W.
  func member(_ field: UInt8) -> OpcodeRow {
    switch operation {
    case .group1:
      let operation = Operation(rawValue: field) ?? .unknown
      return with(operation, keepsLock: operation != .compare)
    case .group1a: return field == 0 ? with(.pop) : .unknown
    case .group2: return with(Operation(rawValue: Operation.rotateLeft.rawValue + field))
    case .group3:
      switch field {
      case 0, 1: return OpcodeRow(.test, .rmConstant, traits.subtracting(.lock))
      case 2: return with(.not, keepsLock: true)
      case 3: return with(.negate, keepsLock: true)
      case 4: return with(.multiply)
      case 5: return with(.multiplySigned)
      case 6: return with(.divide)
      default: return with(.divideSigned)
      }
    case .group4, .group5:
      switch field {
      case 0: return with(.increment, keepsLock: true)
      case 1: return with(.decrement, keepsLock: true)
      case 2 where operation == .group5: return OpcodeRow(.call, .rm, .stack)
      case 4 where operation == .group5: return OpcodeRow(.jump, .rm, .stack)
      case 6 where operation == .group5: return OpcodeRow(.push, .rm, .stack)
      default: return .unknown
      }
    case .group6:
      switch field {
      case 0: return with(.storeLocalTable)
      case 1: return with(.storeTask)
      case 2: return OpcodeRow(.loadLocalTable, .rm, .wordSource)
      case 3: return OpcodeRow(.loadTask, .rm, .wordSource)
      default: return .unknown
      }
    case .group7:
      switch field {
      case 4: return with(.storeStatusWord)
      case 6: return OpcodeRow(.loadStatusWord, .rm, .wordSource)
      default: return .unknown
      }
    case .group8:
      guard field >= 4 else { return .unknown }
      let operation = Operation(rawValue: Operation.bitTest.rawValue + field - 4) ?? .unknown
      return with(operation, keepsLock: operation != .bitTest)
    case .group9: return field == 1 ? with(.compareExchangePair, keepsLock: true) : .unknown
    case .group11: return field == 0 ? with(.move) : .unknown
    // CLFLUSH, CLFLUSHOPT and CLWB.
    case .group15: return field >= 6 ? OpcodeRow(.nothing, .rm, .memory) : .unknown
    // PREFETCH.
    case .group16: return with(.nothing)
    default: return self
    }
  }

  private func with(_ operation: Operation?, keepsLock: Bool = false) -> OpcodeRow {
    OpcodeRow(operation ?? .unknown, form, keepsLock ? traits : traits.subtracting(.lock))
  }
}
