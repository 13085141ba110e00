// SPDX-License-Identifier: Apache-2.0
import X86

/// A decoded instruction as an assembler's listing shows it, so that the two can be compared.
extension Instruction {
  var assembly: String {
    let operands = [text(destination, size), text(source, sourceSize)].compactMap(\.self)
    let prefix = (isLocked ? "lock " : "") + (isRepeated ? "rep " : "")
    return prefix + name + (operands.isEmpty ? "" : " " + operands.joined(separator: ", "))
  }

  private var name: String {
    let suffix = [1: "b", 2: "w", 4: "d", 8: "q"][size] ?? "?"
    switch operation {
    case .move:
      if sourceSize == size { return "mov" }
      return isSignExtended ? (sourceSize == 4 ? "movsxd" : "movsx") : "movzx"
    case .arithmetic(let operation):
      return [
        "add", "or", "adc", "sbb", "and", "sub", "xor", "cmp", "test", "inc", "dec", "not", "neg",
      ][Int(operation.rawValue)]
    case .bit(let operation): return ["bt", "bts", "btr", "btc"][Int(operation.rawValue)]
    case .exchange: return "xchg"
    case .compareExchange: return "cmpxchg"
    case .exchangeAdd: return "xadd"
    case .push: return "push"
    case .moveString: return "movs" + suffix
    case .storeString: return "stos" + suffix
    case .loadString: return "lods" + suffix
    case .input: return isString ? "ins" + suffix : "in"
    case .output: return isString ? "outs" + suffix : "out"
    case .moveControlRegister: return "mov"
    case .loadMachineStatusWord: return "lmsw"
    case .storeMachineStatusWord: return "smsw"
    case .clearTaskSwitched: return "clts"
    case .invalidatePage: return "invlpg"
    }
  }

  private func text(_ operand: Operand, _ size: UInt8) -> String? {
    switch operand {
    case .none: nil
    case .register(let register): register.text(size)
    case .memory(let memory): memory.text(size)
    case .immediate(let value): "\(Int64(bitPattern: value))"
    case .port(let number): "\(number)"
    case .portInDX: "dx"
    case .controlRegister(let number): "cr\(number)"
    }
  }
}

extension RegisterOperand {
  func text(_ size: UInt8) -> String {
    let names = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"]
    if isHighByte { return ["ah", "ch", "dh", "bh"][Int(number)] }
    if number >= 8 { return "r\(number)" + ([1: "b", 2: "w", 4: "d"][size] ?? "") }
    let name = names[Int(number)]
    switch size {
    case 1: return number < 4 ? String(name.prefix(1)) + "l" : name + "l"
    case 2: return name
    case 4: return "e" + name
    default: return "r" + name
    }
  }
}

extension MemoryOperand {
  func text(_ size: UInt8) -> String {
    let pointer = [1: "byte", 2: "word", 4: "dword", 8: "qword"][size] ?? "?"
    let isImplied = segment == (base == 4 || base == 5 ? .ss : .ds)
    let override = isImplied ? "" : "\(segment):"
    var terms: [String] = []
    if isRelative { terms.append(addressSize == 8 ? "rip" : "eip") }
    if let base { terms.append(RegisterOperand(base).text(addressSize)) }
    if let index {
      terms.append((scale == 1 ? "" : "\(scale)*") + RegisterOperand(index).text(addressSize))
    }
    var sum = terms.joined(separator: " + ")
    if sum.isEmpty {
      sum = "\(displacement)"
    } else if displacement != 0 {
      sum += displacement < 0 ? " - \(displacement.magnitude)" : " + \(displacement)"
    }
    return "\(pointer) ptr \(override)[\(sum)]"
  }
}
