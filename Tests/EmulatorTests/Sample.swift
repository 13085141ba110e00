// SPDX-License-Identifier: Apache-2.0
import Testing
import X86

/// An opcode to try with many operands: how it is encoded, and what of its result is defined.
struct Sample: CustomTestStringConvertible, Sendable {
  /// ModRM's reg field: any register, or a part of the opcode. None: there is no ModRM.
  enum Field: Sendable, Equatable { case any, fixed(UInt8), none }
  /// What registers have to hold for the instruction to be a sensible one.
  enum Setup: Sendable {
    case any, divide, divideSigned, shift, shiftDouble, bitOffset, string, branch, stack, translate
  }

  let name: String
  var prefix: [UInt8] = []
  let opcode: [UInt8]
  var field = Field.any
  /// Operand sizes to try: 1 needs an opcode of its own.
  var sizes: [UInt8] = [2, 4, 8]
  /// Bytes of the constant; nil: as the operand's size, but four at most.
  var constant: Int? = 0
  var undefined: RFLAGS = []
  var setup = Setup.any
  var isAligned = false
  /// Bytes of rm where they are not `sizes`.
  var memorySize: UInt8?

  var testDescription: String { name }

  init(
    _ name: String, _ opcode: [UInt8], prefix: [UInt8] = [], _ field: Field = .any,
    sizes: [UInt8] = [2, 4, 8], constant: Int? = 0, undefined: RFLAGS = [], setup: Setup = .any,
    isAligned: Bool = false, memorySize: UInt8? = nil
  ) {
    self.name = name
    self.prefix = prefix
    self.opcode = opcode
    self.field = field
    self.sizes = sizes
    self.constant = constant
    self.undefined = undefined
    self.setup = setup
    self.isAligned = isAligned
    self.memorySize = memorySize
  }

  /// The same opcode for bytes, which is one less.
  func withBytes() -> [Sample] {
    var bytes = self
    let low = Sample(
      name + " byte", opcode.dropLast() + [opcode[opcode.count - 1] - 1], prefix: prefix, field,
      sizes: [1], constant: constant == nil ? 1 : constant, undefined: undefined, setup: setup,
      memorySize: memorySize)
    bytes.sizes = [2, 4, 8]
    return [low, bytes]
  }
}

extension Sample {
  static let all: [Sample] =
    arithmetic + shifts + bits + multiplications + moves + exchanges + stack + strings + vectors

  private static let logicalUndefined: RFLAGS = .auxiliaryCarry

  static let arithmetic: [Sample] = {
    let names = ["add", "or", "adc", "sbb", "and", "sub", "xor", "cmp"]
    var samples: [Sample] = []
    for (number, name) in names.enumerated() {
      let isLogical = ["or", "and", "xor"].contains(name)
      let undefined: RFLAGS = isLogical ? logicalUndefined : []
      let opcode = UInt8(number * 8)
      samples += Sample("\(name) rm, reg", [opcode + 1], undefined: undefined).withBytes()
      samples += Sample("\(name) reg, rm", [opcode + 3], undefined: undefined).withBytes()
      samples += Sample(
        "\(name) rm, constant", [0x81], .fixed(UInt8(number)), constant: nil, undefined: undefined
      ).withBytes()
      samples.append(
        Sample(
          "\(name) rm, byte", [0x83], .fixed(UInt8(number)), constant: 1, undefined: undefined))
    }
    samples += Sample("test rm, reg", [0x85], undefined: logicalUndefined).withBytes()
    samples += Sample(
      "test rm, constant", [0xf7], .fixed(0), constant: nil, undefined: logicalUndefined
    ).withBytes()
    samples += Sample("not", [0xf7], .fixed(2)).withBytes()
    samples += Sample("neg", [0xf7], .fixed(3)).withBytes()
    samples += Sample("inc", [0xff], .fixed(0)).withBytes()
    samples += Sample("dec", [0xff], .fixed(1)).withBytes()
    return samples
  }()

  static let shifts: [Sample] = {
    let names = ["rol", "ror", "rcl", "rcr", "shl", "shr", "sal", "sar"]
    var samples: [Sample] = []
    for (number, name) in names.enumerated() {
      let field = Field.fixed(UInt8(number))
      // AF of shifts is undefined; of rotations it stays.
      let undefined: RFLAGS = number < 4 ? [] : .auxiliaryCarry
      samples += Sample("\(name) rm, 1", [0xd1], field, undefined: undefined, setup: .shift)
        .withBytes()
      samples += Sample("\(name) rm, cl", [0xd3], field, undefined: undefined, setup: .shift)
        .withBytes()
      samples += Sample(
        "\(name) rm, byte", [0xc1], field, constant: 1, undefined: undefined, setup: .shift
      ).withBytes()
    }
    for (name, opcode) in [("shld", UInt8(0xa4)), ("shrd", 0xac)] {
      samples.append(
        Sample(
          "\(name) byte", [0x0f, opcode], constant: 1, undefined: .auxiliaryCarry,
          setup: .shiftDouble))
      samples.append(
        Sample("\(name) cl", [0x0f, opcode + 1], undefined: .auxiliaryCarry, setup: .shiftDouble))
    }
    return samples
  }()

  static let bits: [Sample] = {
    let undefined: RFLAGS = [.overflow, .sign, .auxiliaryCarry, .parity]
    var samples: [Sample] = []
    for (number, name) in ["bt", "bts", "btr", "btc"].enumerated() {
      samples.append(
        Sample(
          "\(name) rm, reg", [0x0f, 0xa3 + UInt8(number) * 8], undefined: undefined,
          setup: .bitOffset))
      samples.append(
        Sample(
          "\(name) rm, byte", [0x0f, 0xba], .fixed(4 + UInt8(number)), constant: 1,
          undefined: undefined))
    }
    let scan: RFLAGS = [.carry, .overflow, .sign, .auxiliaryCarry, .parity]
    samples.append(Sample("bsf", [0x0f, 0xbc], undefined: scan))
    samples.append(Sample("bsr", [0x0f, 0xbd], undefined: scan))
    let count: RFLAGS = [.overflow, .sign, .auxiliaryCarry, .parity]
    samples.append(Sample("tzcnt", [0x0f, 0xbc], prefix: [0xf3], undefined: count))
    samples.append(Sample("lzcnt", [0x0f, 0xbd], prefix: [0xf3], undefined: count))
    samples.append(Sample("popcnt", [0x0f, 0xb8], prefix: [0xf3]))
    return samples
  }()

  static let multiplications: [Sample] = {
    let undefined: RFLAGS = [.sign, .zero, .auxiliaryCarry, .parity]
    return Sample("mul", [0xf7], .fixed(4), undefined: undefined).withBytes()
      + Sample("imul", [0xf7], .fixed(5), undefined: undefined).withBytes()
      + Sample("div", [0xf7], .fixed(6), undefined: .status, setup: .divide).withBytes()
      + Sample("idiv", [0xf7], .fixed(7), undefined: .status, setup: .divideSigned).withBytes()
      + [
        Sample("imul reg, rm", [0x0f, 0xaf], undefined: undefined),
        Sample("imul reg, rm, constant", [0x69], constant: nil, undefined: undefined),
        Sample("imul reg, rm, byte", [0x6b], constant: 1, undefined: undefined),
      ]
  }()

  static let moves: [Sample] = {
    var samples = Sample("mov rm, reg", [0x89]).withBytes()
    samples += Sample("mov reg, rm", [0x8b]).withBytes()
    samples += Sample("mov rm, constant", [0xc7], .fixed(0), constant: nil).withBytes()
    samples.append(Sample("movnti", [0x0f, 0xc3], sizes: [4, 8]))
    samples.append(Sample("movzx byte", [0x0f, 0xb6], memorySize: 1))
    samples.append(Sample("movzx word", [0x0f, 0xb7], memorySize: 2))
    samples.append(Sample("movsx byte", [0x0f, 0xbe], memorySize: 1))
    samples.append(Sample("movsx word", [0x0f, 0xbf], memorySize: 2))
    samples.append(Sample("movsxd", [0x63], sizes: [4, 8], memorySize: 4))
    samples.append(Sample("movbe reg, rm", [0x0f, 0x38, 0xf0]))
    samples.append(Sample("movbe rm, reg", [0x0f, 0x38, 0xf1]))
    samples.append(Sample("lea", [0x8d]))
    samples.append(Sample("xlat", [0xd7], Field.none, sizes: [1], setup: .translate))
    samples.append(Sample("nop", [0x0f, 0x1f], .fixed(0)))
    samples.append(Sample("prefetch", [0x0f, 0x18], .fixed(1), sizes: [4]))
    samples.append(Sample("clflush", [0x0f, 0xae], .fixed(7), sizes: [4]))
    for condition in UInt8(0)..<16 {
      samples.append(Sample("set\(condition)", [0x0f, 0x90 + condition], .fixed(0), sizes: [1]))
      samples.append(Sample("cmov\(condition)", [0x0f, 0x40 + condition]))
    }
    return samples
  }()

  static let exchanges: [Sample] =
    Sample("xchg", [0x87]).withBytes() + Sample("xadd", [0x0f, 0xc1]).withBytes()
    + Sample("cmpxchg", [0x0f, 0xb1]).withBytes()
    + Sample("lock xadd", [0x0f, 0xc1], prefix: [0xf0]).withBytes()
    + [
      Sample("cmpxchg8b", [0x0f, 0xc7], .fixed(1), sizes: [4], memorySize: 8),
      Sample("cmpxchg16b", [0x0f, 0xc7], .fixed(1), sizes: [8], isAligned: true, memorySize: 16),
    ]

  static let stack: [Sample] = [
    Sample("push rm", [0xff], .fixed(6), sizes: [2, 8], setup: .stack),
    Sample("pop rm", [0x8f], .fixed(0), sizes: [2, 8], setup: .stack),
    Sample("call rm", [0xff], .fixed(2), sizes: [8], setup: .branch),
    Sample("jmp rm", [0xff], .fixed(4), sizes: [8], setup: .branch),
    Sample("push constant", [0x68], Field.none, sizes: [8], constant: 4, setup: .stack),
    Sample("push byte", [0x6a], Field.none, sizes: [8], constant: 1, setup: .stack),
    Sample("push rcx", [0x51], Field.none, sizes: [2, 8], setup: .stack),
    Sample("push rsp", [0x54], Field.none, sizes: [8], setup: .stack),
    Sample("pop rdx", [0x5a], Field.none, sizes: [2, 8], setup: .stack),
    Sample("pop rsp", [0x5c], Field.none, sizes: [8], setup: .stack),
    Sample("leave", [0xc9], Field.none, sizes: [8], setup: .stack),
  ]

  static let strings: [Sample] = {
    var samples: [Sample] = []
    for (name, opcode) in [
      ("movs", UInt8(0xa5)), ("cmps", 0xa7), ("stos", 0xab), ("lods", 0xad), ("scas", 0xaf),
    ] {
      for (repeats, prefix) in [("", []), ("rep ", [UInt8(0xf3)]), ("repne ", [0xf2])] {
        samples += Sample(
          repeats + name, [opcode], prefix: prefix, Field.none, setup: .string
        ).withBytes()
      }
    }
    return samples
  }()

  static let vectors: [Sample] = {
    func row(
      _ name: String, _ opcode: UInt8, _ prefix: [UInt8], _ size: UInt8, aligned: Bool = false
    )
      -> Sample
    {
      Sample(
        name, [0x0f, opcode], prefix: prefix, sizes: [4], isAligned: aligned, memorySize: size)
    }
    var samples: [Sample] = []
    for (direction, offset) in [("load", UInt8(0)), ("store", 1)] {
      samples += [
        row("movups \(direction)", 0x10 + offset, [], 16),
        row("movupd \(direction)", 0x10 + offset, [0x66], 16),
        row("movss \(direction)", 0x10 + offset, [0xf3], 4),
        row("movsd \(direction)", 0x10 + offset, [0xf2], 8),
        row("movlps \(direction)", 0x12 + offset, [], 8),
        row("movlpd \(direction)", 0x12 + offset, [0x66], 8),
        row("movhps \(direction)", 0x16 + offset, [], 8),
        row("movhpd \(direction)", 0x16 + offset, [0x66], 8),
        row("movaps \(direction)", 0x28 + offset, [], 16, aligned: true),
        row("movapd \(direction)", 0x28 + offset, [0x66], 16, aligned: true),
        row("movdqa \(direction)", 0x6f + offset * 16, [0x66], 16, aligned: true),
        row("movdqu \(direction)", 0x6f + offset * 16, [0xf3], 16),
        row("movd \(direction)", 0x6e + offset * 16, [0x66], 4),
        Sample(
          "movq \(direction) wide", [0x0f, 0x6e + offset * 16], prefix: [0x66], sizes: [8],
          memorySize: 8),
      ]
    }
    samples += [
      row("movq load", 0x7e, [0xf3], 8), row("movq store", 0xd6, [0x66], 8),
      row("movntps", 0x2b, [], 16, aligned: true), row("movntpd", 0x2b, [0x66], 16, aligned: true),
      row("movntdq", 0xe7, [0x66], 16, aligned: true), row("lddqu", 0xf0, [0xf2], 16),
    ]
    return samples
  }()
}
