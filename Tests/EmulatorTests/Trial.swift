// SPDX-License-Identifier: Apache-2.0
import RealProcessor
import X86

/// One instruction with its operands: a sample made concrete at random.
struct Trial {
  var bytes: [UInt8]
  var state: processor_state
  /// The arena's data before it.
  var contents: [UInt8]
  /// Flags that the manual leaves undefined after this instruction with these operands.
  var undefined: RFLAGS
  /// The same of the operands themselves.
  var isUndefined = false

  /// `offset` is where in the arena's data the operand starts.
  init(
    _ sample: Sample, size: UInt8, offset: Int, _ arena: Arena,
    _ random: inout some RandomNumberGenerator
  ) {
    var maker = TrialMaker(sample, size: size, arena: arena, random: random)
    maker.make(offset: offset)
    bytes = maker.bytes
    state = maker.state
    contents = maker.contents
    undefined = maker.undefined
    isUndefined = maker.isUndefined
    random = maker.random
  }
}

/// What surrounds the operands.
private let noiseBytes: [UInt8] = {
  var random = SystemRandomNumberGenerator()
  return (0..<Arena.dataSize).map { _ in UInt8.random(in: 0...255, using: &random) }
}()

/// How to fill a trial in.
private struct TrialMaker<Random: RandomNumberGenerator> {
  let sample: Sample
  let size: UInt8
  let arena: Arena
  var random: Random
  var bytes: [UInt8] = []
  var state = processor_state()
  var contents: [UInt8]
  var undefined: RFLAGS
  var isUndefined = false
  var address: UInt64 = 0

  init(_ sample: Sample, size: UInt8, arena: Arena, random: Random) {
    self.sample = sample
    self.size = size
    self.arena = arena
    self.random = random
    undefined = sample.undefined
    contents = []
  }

  subscript(_ number: Int) -> UInt64 {
    get {
      withUnsafeBytes(of: state.registers) { $0.load(fromByteOffset: number * 8, as: UInt64.self) }
    }
    set {
      withUnsafeMutableBytes(of: &state.registers) {
        $0.storeBytes(of: newValue, toByteOffset: number * 8, as: UInt64.self)
      }
    }
  }

  /// Small numbers and those at the ends of the ranges come often.
  mutating func number() -> UInt64 {
    switch Int.random(in: 0..<6, using: &random) {
    case 0: UInt64.random(in: 0..<4, using: &random)
    case 1: UInt64.max - UInt64.random(in: 0..<4, using: &random)
    case 2:
      (1 << UInt64([7, 15, 31, 63].randomElement(using: &random) ?? 7))
        &- (Bool.random(using: &random) ? 1 : 0)
    default: UInt64.random(in: .min ... .max, using: &random)
    }
  }

  mutating func make(offset: Int) {
    address = arena.data + UInt64(offset)
    for register in 0..<16 { self[register] = number() }
    withUnsafeMutableBytes(of: &state.vectors) { bytes in
      for index in bytes.indices { bytes[index] = UInt8.random(in: 0...255, using: &random) }
    }
    contents = noiseBytes
    state.flags = 2 | UInt64.random(in: 0...0xfff, using: &random) & RFLAGS.status.rawValue
    storeOperand(number())
    // A stack for signals, too, where the instruction itself uses none.
    self[4] = arena.data + 4096 + 2048
    prepare()
    encode()
    finish()
  }

  private var operandSize: Int { Int(sample.memorySize ?? size) }

  private mutating func storeOperand(_ value: UInt64) {
    let start = Int(address - arena.data)
    for index in 0..<min(operandSize, 8) where start + index < contents.count {
      contents[start + index] = UInt8(truncatingIfNeeded: value >> UInt64(index * 8))
    }
  }

  private func operand() -> UInt64 {
    let start = Int(address - arena.data)
    return (0..<min(operandSize, 8)).reduce(0) {
      $0 | UInt64(contents[start + $1]) << UInt64($1 * 8)
    }
  }

  private var mask: UInt64 { size >= 8 ? .max : 1 << (UInt64(size) * 8) - 1 }

  private mutating func prepare() {
    switch sample.setup {
    case .any, .shift, .shiftDouble: break
    case .divide:
      let divisor = max(operand(), 1)
      storeOperand(divisor)
      setHigh(number() % divisor)
    case .divideSigned: prepareSignedDivision()
    case .bitOffset: break
    case .string:
      self[1] = UInt64.random(in: 0...5, using: &random)
      self[6] = arena.data + UInt64.random(in: 256..<3 * 4096 - 256, using: &random)
      self[7] = address
      if Bool.random(using: &random) {
        self[6] = address &+ UInt64.random(in: 0...64, using: &random) &- 32
      }
      // Equal strings, so that a comparison goes on.
      if Bool.random(using: &random) {
        contents = Array(repeating: 0x41, count: contents.count)
        self[0] = 0x4141_4141_4141_4141
      }
      if Bool.random(using: &random) { state.flags |= RFLAGS.direction.rawValue }
    case .branch: storeOperand(arena.branchTarget)
    case .stack:
      self[4] = address + 4
      self[5] = address
    case .translate: self[3] = address &- self[0] & 0xff
    }
  }

  private mutating func setHigh(_ high: UInt64) {
    if size == 1 {
      self[0] = self[0] & ~0xff00 | (high & 0xff) << 8
    } else {
      self[2] = self[2] & ~mask | high & mask
    }
  }

  /// A dividend whose quotient fits: a random quotient times the divisor.
  private mutating func prepareSignedDivision() {
    let unused = 64 - UInt64(size) * 8
    func signed(_ value: UInt64) -> Int64 { Int64(bitPattern: value << unused) >> Int64(unused) }
    var divisor = signed(operand())
    if divisor == 0 { divisor = -1 }
    storeOperand(UInt64(bitPattern: divisor) & mask)
    let quotient = signed(number())
    let product = quotient.multipliedFullWidth(by: divisor)
    self[0] = self[0] & ~mask | product.low & mask
    setHigh(size == 8 ? UInt64(bitPattern: product.high) : product.low >> (UInt64(size) * 8))
  }

  private mutating func encode() {
    var rex: UInt8 = size == 8 ? 8 : 0
    if size == 1, Bool.random(using: &random) { rex |= 0x40 }
    var modRM: [UInt8] = []
    if sample.field != .none {
      let reg: UInt8 =
        if case .fixed(let field) = sample.field { field } else {
          UInt8.random(in: 0..<16, using: &random)
        }
      // The operand's address has to be in registers that the instruction needs for nothing else.
      if reg >= 8 { rex |= 4 }
      modRM = addressing(reg & 7, &rex)
    }
    var prefixes = sample.prefix
    if size == 2 { prefixes.insert(0x66, at: 0) }
    let constant = sample.constant ?? min(Int(size), 4)
    bytes = prefixes + (rex == 0 ? [] : [rex | 0x40]) + sample.opcode + modRM
    if isRelative {
      let next = arena.code + UInt64(bytes.count + constant)
      setDisplacement(Int64(bitPattern: address &- next))
    }
    bytes += (0..<constant).map { _ in UInt8.random(in: 0...255, using: &random) }
  }

  private var isRelative = false

  private mutating func setDisplacement(_ value: Int64) {
    for index in 0..<4 {
      bytes[bytes.count - 4 + index] = UInt8(truncatingIfNeeded: value >> Int64(index * 8))
    }
  }

  /// An address in one of the forms of ModRM and SIB. Base and index are registers whose
  /// values the sample's set-up does not need.
  private mutating func addressing(_ reg: UInt8, _ rex: inout UInt8) -> [UInt8] {
    isRelative = false
    let free: [UInt8] = [3, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15]
    let base = free.randomElement(using: &random) ?? 3
    var index = free.randomElement(using: &random) ?? 6
    if base == index { index = base == 3 ? 6 : 3 }
    var target = address
    if sample.setup == .bitOffset, !isStackBased { target = address }
    let displacement = Int64.random(in: -100...100, using: &random)
    switch Int.random(in: 0..<4, using: &random) {
    case 0:
      isRelative = true
      return [reg << 3 | 5, 0, 0, 0, 0]
    case 1:
      // [base + displacement of one byte]
      self[Int(base)] = target &- UInt64(bitPattern: displacement)
      rex |= base >> 3
      let modRM = 0x40 | reg << 3 | base & 7
      return (base & 7 == 4 ? [modRM, 0x24] : [modRM]) + [UInt8(truncatingIfNeeded: displacement)]
    default:
      // [base + index * scale + displacement of four bytes]
      let scale = UInt8.random(in: 0..<4, using: &random)
      let far = displacement * 1000
      self[Int(base)] = target &- self[Int(index)] << UInt64(scale) &- UInt64(bitPattern: far)
      rex |= base >> 3 | (index & 8) >> 2
      return [0x80 | reg << 3 | 4, scale << 6 | (index & 7) << 3 | base & 7]
        + (0..<4).map { UInt8(truncatingIfNeeded: far >> Int64($0 * 8)) }
    }
  }

  private var isStackBased: Bool { sample.setup == .stack }

  /// What depends on the operands as they have become.
  private mutating func finish() {
    switch sample.setup {
    case .bitOffset: keepBitNear()
    case .shift, .shiftDouble: undefineShift()
    default: break
    }
  }

  /// The bit's number is in a register: it must not lead out of the arena.
  private mutating func keepBitNear() {
    let rex = bytes.first { $0 & 0xf0 == 0x40 } ?? 0
    guard let position = bytes.firstIndex(of: 0x0f) else { return }
    let reg = Int(bytes[position + 2] >> 3 & 7 | (rex & 4) << 1)
    let isAddress =
      bytes[position + 2] & 0xc7 != 5 && [3, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 4].contains(reg)
    if isAddress {
      // The register may be the address as well: take one that never is.
      let replacement: UInt8 = 2
      bytes[position + 2] = bytes[position + 2] & ~0x38 | replacement << 3
      if let index = bytes.firstIndex(where: { $0 & 0xf0 == 0x40 }), index < position {
        bytes[index] &= ~4
      }
      setBitNumber(2)
    } else {
      setBitNumber(reg)
    }
  }

  private mutating func setBitNumber(_ register: Int) {
    let bit = Int64.random(in: -8000...8000, using: &random)
    self[register] = self[register] & ~mask | UInt64(bitPattern: bit) & mask
  }

  private mutating func undefineShift() {
    let limit: UInt64 = size == 8 ? 63 : 31
    let bits = UInt64(size) * 8
    let isImmediate = sample.constant == 1
    var count = isImmediate ? UInt64(bytes.last ?? 0) : self[1]
    if sample.name.contains("rm, 1") { count = 1 }
    count &= limit
    if count == 0 {
      undefined = []
      return
    }
    if count != 1 { undefined.insert(.overflow) }
    let isRotation = sample.name.hasPrefix("r")
    if !isRotation, count >= bits { undefined.insert(.carry) }
    if sample.setup == .shiftDouble, count > bits { isUndefined = true }
  }
}
