// SPDX-License-Identifier: Apache-2.0

/// What an instruction does with its operands.
enum Operation: UInt8 {
  // Numbered as `Arithmetic` is: the first eight as opcodes encode them.
  case add = 0
  case or, addCarry, subtractBorrow, and, subtract, exclusiveOr, compare
  case test, increment, decrement, not, negate

  // Numbered from here as group 2 encodes them: see `Shift`.
  case rotateLeft = 16
  case rotateRight, rotateCarryLeft, rotateCarryRight
  case shiftLeft, shiftRight, shiftLeftAgain, shiftArithmeticRight

  // As group 8 encodes them, without its bit 2: see `BitOperation`.
  case bitTest = 24
  case bitSet, bitReset, bitComplement

  case shiftLeftDouble = 32
  case shiftRightDouble
  case bitScanForward, bitScanReverse, populationCount
  case multiply, multiplySigned, divide, divideSigned
  /// IMUL with two or three operands.
  case multiplyInto
  case move, moveZeroExtended, moveSignExtended
  /// MOVBE.
  case moveSwapped
  case loadAddress
  case exchange, exchangeAdd, compareExchange
  /// CMPXCHG8B and CMPXCHG16B.
  case compareExchangePair
  case setCondition, moveCondition
  /// XLAT.
  case translate
  case push, pop, call, jump, callRelative, leave
  case returnNear, pushFlags
  case moveString, compareString, scanString, storeString, loadString
  case inputString, outputString
  case moveFromSegment, moveToSegment, pushSegment, popSegment
  case storeLocalTable, storeTask, loadLocalTable, loadTask
  case storeStatusWord, loadStatusWord
  /// Of the operand's bytes into a vector register, the rest of it zero.
  case vectorLoad
  case vectorStore
  /// Eight bytes of a vector register; the others stay.
  case vectorLoadLow, vectorLoadHigh, vectorStoreHigh
  /// NOP, PREFETCH, CLFLUSH: the operand is not touched.
  case nothing

  // Groups: ModRM's reg field says which operation it is.
  case group1, group1a, group2, group3, group4, group5, group6, group7, group8, group9, group11
  case group15, group16

  /// None that the emulator knows.
  case unknown = 255
}

extension Operation {
  var isString: Bool {
    rawValue >= Operation.moveString.rawValue && rawValue <= Operation.outputString.rawValue
  }

  /// Memory is touched in more than one place: which of them a fault was about is not known.
  var hasSeveralPlaces: Bool {
    switch self {
    case .moveString, .compareString, .push, .pop, .call, .pushSegment, .popSegment,
      .moveToSegment, .loadLocalTable, .loadTask:
      true
    default: false
    }
  }
}
