// SPDX-License-Identifier: Apache-2.0
import Testing
import X86

@testable import Emulator

@Suite("Arithmetic and its flags")
struct ArithmeticTests {
  static let names: [Substring: Arithmetic] = [
    "add": .add, "or": .or, "addCarry": .addCarry, "subtractBorrow": .subtractBorrow, "and": .and,
    "subtract": .subtract, "exclusiveOr": .exclusiveOr, "compare": .compare, "test": .test,
    "increment": .increment, "decrement": .decrement, "not": .not, "negate": .negate,
  ]

  @Test("Agrees with a processor", arguments: processorArithmetic.split(separator: "\n"))
  func processor(row: Substring) throws {
    let columns = row.split(separator: " ")
    let operation = try #require(Self.names[columns[0]])
    let size = try #require(UInt8(columns[1]))
    let numbers = columns[2...].compactMap { UInt64($0, radix: 16) }
    let before = RFLAGS(rawValue: numbers[2])
    let result = operation.evaluate(numbers[0], numbers[1], size: size, flags: before)
    if operation.storesResult { #expect(result.value == numbers[3]) }
    #expect(result.flags.intersection(.status).rawValue == numbers[4])
    #expect(result.flags.subtracting(.status) == before.subtracting(.status))
  }

  /// Sums and differences of bytes against wider numbers, each pair with and without carry.
  @Test("Carries, overflows and borrows as wider numbers say", arguments: [0, 1])
  func bytes(carry: Int) {
    let before: RFLAGS = carry == 1 ? .carry : []
    for left in 0..<256 {
      for right in 0..<256 {
        let (a, b) = (UInt64(left), UInt64(right))
        let sum = Arithmetic.addCarry.evaluate(a, b, size: 1, flags: before)
        let difference = Arithmetic.subtractBorrow.evaluate(a, b, size: 1, flags: before)
        let signedLeft = Int(Int8(truncatingIfNeeded: left))
        let signedRight = Int(Int8(truncatingIfNeeded: right))
        let expectedSum = Expectation(
          unsigned: left + right + carry, signed: signedLeft + signedRight + carry,
          nibble: left & 15 + right & 15 + carry)
        let expectedDifference = Expectation(
          unsigned: left - right - carry, signed: signedLeft - signedRight - carry,
          nibble: left & 15 - right & 15 - carry)
        guard expectedSum == sum, expectedDifference == difference else {
          Issue.record("\(left) and \(right) with carry \(carry): \(sum) \(difference)")
          return
        }
      }
    }
  }

  struct Expectation {
    let unsigned: Int
    let signed: Int
    let nibble: Int

    static func == (expected: Self, actual: ArithmeticResult) -> Bool {
      let value = UInt64(UInt8(truncatingIfNeeded: expected.unsigned))
      var flags: UInt64 = 0
      if !(0..<256).contains(expected.unsigned) { flags |= 1 << 0 }
      if value.nonzeroBitCount.isMultiple(of: 2) { flags |= 1 << 2 }
      if !(0..<16).contains(expected.nibble) { flags |= 1 << 4 }
      if value == 0 { flags |= 1 << 6 }
      if value >= 128 { flags |= 1 << 7 }
      if !(-128..<128).contains(expected.signed) { flags |= 1 << 11 }
      return actual.value == value && actual.flags.rawValue == flags
    }
  }

  @Test("Comparison and test store nothing")
  func stored() {
    for (name, operation) in Self.names {
      #expect(operation.storesResult == !["compare", "test"].contains(name))
    }
  }
}

@Suite("Bits")
struct BitOperationTests {
  @Test("A bit's old value goes into CF, and no other flag changes")
  func bits() {
    let all = RFLAGS(rawValue: 0x8d7)
    func result(_ operation: BitOperation, _ value: UInt64, _ bit: UInt64, _ size: UInt8 = 4)
      -> ArithmeticResult
    { operation.evaluate(value, bit: bit, size: size, flags: all) }
    #expect(result(.test, 0b100, 2).value == 0b100)
    #expect(result(.test, 0b100, 2).flags == all)
    #expect(result(.set, 0, 5).value == 32)
    #expect(result(.set, 0, 5).flags.rawValue == 0x8d6)
    #expect(result(.reset, 0xff, 37).value == 0xdf)
    #expect(result(.complement, 0x8000, 31, 2).value == 0)
    #expect(result(.complement, 0, 63, 8).value == 1 << 63)
    #expect(result(.set, 0, 32, 4).value == 1)
  }
}
