// SPDX-License-Identifier: Apache-2.0

/// What the monitor may execute between a guest's exit and the next entry: everything that
/// `runGuest` reaches. There no aggregate is copied and no function has a large frame: the compiler
/// copies silently, and what it copies costs more than all else.
///
/// A function counts as called where its address is taken: the compiler merges the two vendors'
/// functions into one that is told by its caller which others to call.
struct ExitPath {
  /// A function off the path although `runGuest` reaches it, by the beginning of its name, and why.
  struct Exception: Sendable, Equatable {
    var function: String
    var reason: String
  }

  struct Offence: Sendable, Equatable {
    /// From `runGuest` to the function in which it lies.
    var calls: [String]
    var problem: String
  }

  /// The loop, and what it may be a part of once compiled: the first of them that exists.
  static let roots = ["VirtualCPU.runUntilClient()", "VirtualCPU.runGuest()"]
  static let largestFrame = 256
  private static let copiers: Set = ["memcpy", "memmove", "memset"]

  var disassembly: Disassembly
  var exceptions: [Exception]

  /// Functions by address that lie on the path, each with the one that it was first reached from.
  private func reached() -> [UInt64: UInt64?] {
    var reached: [UInt64: UInt64?] = [:]
    var waiting =
      Self.roots.map { root in disassembly.functions.filter { $0.name.contains(root) } }
      .first { !$0.isEmpty } ?? []
    for root in waiting { reached.updateValue(nil, forKey: root.address) }
    while let function = waiting.popLast() {
      for target in function.instructions.flatMap(targets) {
        guard let callee = disassembly.function(at: target), reached[callee.address] == nil,
          !Self.copiers.contains(callee.symbol), !isExcepted(callee)
        else { continue }
        reached.updateValue(function.address, forKey: callee.address)
        waiting.append(callee)
      }
    }
    return reached
  }

  /// Where it goes, or another one with an address that it loads.
  private func targets(of instruction: Disassembly.Instruction) -> [UInt64] {
    if let target = instruction.target { return [target] }
    return instruction.loads.filter { disassembly.function(at: $0)?.address == $0 }
  }

  private func isExcepted(_ function: Disassembly.Function) -> Bool {
    exceptions.contains { function.name.hasPrefix($0.function) }
  }

  /// Exceptions that name no function: their reason is gone.
  var idleExceptions: [Exception] {
    exceptions.filter { exception in
      !disassembly.functions.contains { $0.name.hasPrefix(exception.function) }
    }
  }

  /// How many functions lie on the path, and what is wrong in them.
  func check() -> (functions: Int, offences: [Offence]) {
    let reached = reached()
    var offences: [Offence] = []
    for function in disassembly.functions where reached[function.address] != nil {
      for problem in problems(of: function) {
        offences.append(Offence(calls: calls(to: function, reached), problem: problem))
      }
    }
    return (reached.count, offences)
  }

  private func calls(to function: Disassembly.Function, _ reached: [UInt64: UInt64?]) -> [String] {
    var names = [function.name]
    var address = function.address
    while let caller = reached[address] ?? nil, names.count < 100 {
      names.append(disassembly.function(at: caller)?.name ?? "?")
      address = caller
    }
    return names.reversed()
  }

  private func problems(of function: Disassembly.Function) -> [String] {
    function.instructions.indices.compactMap { index in
      let instruction = function.instructions[index]
      let place = "at 0x\(String(instruction.address, radix: 16))"
      if instruction.mnemonic.hasPrefix("rep"), !instruction.operands.hasPrefix("ret") {
        return "copies \(place): \(instruction.text)"
      }
      if let target = instruction.target, let callee = disassembly.function(at: target),
        Self.copiers.contains(callee.symbol), !Self.copiers.contains(function.symbol)
      {
        return "calls \(callee.symbol) \(place)"
      }
      if let size = Self.frame(instruction), size > Self.largestFrame {
        return "has a frame of \(size) bytes"
      }
      if instruction.operands.hasPrefix("*"), !Self.isFollowed(instruction.operands) {
        return "goes where nobody sees \(place): \(instruction.text)"
      }
      return nil
    }
  }

  /// `sub $0x108,%rsp`.
  private static func frame(_ instruction: Disassembly.Instruction) -> Int? {
    guard instruction.mnemonic == "sub", instruction.operands.hasPrefix("$0x"),
      instruction.operands.hasSuffix(",%rsp")
    else { return nil }
    return Int(instruction.operands.dropFirst(3).prefix { $0 != "," }, radix: 16)
  }

  /// By a register or a word on the stack: a switch, or a function whose address was loaded before.
  private static func isFollowed(_ operands: Substring) -> Bool {
    operands.hasPrefix("*%") || operands.hasSuffix("(%rsp)") || operands.hasSuffix("(%rbp)")
  }
}
