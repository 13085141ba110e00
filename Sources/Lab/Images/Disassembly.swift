// SPDX-License-Identifier: Apache-2.0

/// The monitor's code by functions, as objdump takes it apart: of the image with its symbols, which
/// `make monitor` leaves beside build/monitor.
struct Disassembly: Sendable {
  struct Instruction: Sendable, Equatable {
    var address: UInt64
    var mnemonic: Substring
    var operands: Substring

    /// A line of objdump: `  100010:	mov    %rax,%rbx`.
    init?(line: Substring) {
      let fields = line.split(separator: "\t")
      guard fields.count >= 2, fields[0].last == ":",
        let address = UInt64(fields[0].dropLast().drop { $0 == " " }, radix: 16)
      else { return nil }
      self.address = address
      mnemonic = fields[1].prefix { $0 != " " }
      operands = fields[1].dropFirst(mnemonic.count).drop { $0 == " " }
    }

    /// `1051bf <name+0x10>`: where a jump or call with a fixed target goes.
    var target: UInt64? {
      guard mnemonic.hasPrefix("j") || mnemonic == "call" else { return nil }
      return UInt64(operands.prefix { $0 != " " }, radix: 16)
    }

    /// `mov $0x1051bf,%eax`, `lea 0x104(%rip),%rax  # 1051bf <name>`: addresses that it loads.
    var loads: [UInt64] {
      operands.split { $0 == "," || $0 == " " || $0 == "\t" }.enumerated().compactMap {
        index, word in
        if word.hasPrefix("$0x") { return UInt64(word.dropFirst(3), radix: 16) }
        return mnemonic == "lea" && index > 0 ? UInt64(word, radix: 16) : nil
      }
    }

    var text: String { "\(mnemonic) \(operands)" }
  }

  struct Function: Sendable {
    var symbol: String
    /// In Swift's words.
    var name: String
    var instructions: [Instruction]

    var address: UInt64 { instructions.first?.address ?? 0 }
  }

  /// By address.
  private(set) var functions: [Function] = []

  init(text: String) {
    for line in text.split(separator: "\n") {
      if let symbol = Self.symbol(line) {
        functions.append(Function(symbol: symbol, name: symbol, instructions: []))
      } else if let instruction = Instruction(line: line), !functions.isEmpty {
        functions[functions.count - 1].instructions.append(instruction)
      }
    }
    functions.removeAll(where: \.instructions.isEmpty)
    functions.sort { $0.address < $1.address }
  }

  /// Of the image that build/monitor was made from.
  init(of project: Project) async throws {
    guard Files.exists(project.monitorWithSymbols) else {
      throw LabError.notBuilt(
        what: "the monitor with its symbols", path: project.monitorWithSymbols,
        remedy: "make monitor")
    }
    // A missing objdump is an error here, not an empty disassembly.
    self.init(
      text: try await Command(
        "objdump", ["-d", "--no-show-raw-insn", "-M", "att", project.monitorWithSymbols]
      ).output())
    let mangled = functions.indices.filter { functions[$0].symbol.hasPrefix("$") }
    let names = try await Command(
      "swift", ["demangle", "--compact", "--simplified"] + mangled.map { functions[$0].symbol }
    ).output().split(separator: "\n", omittingEmptySubsequences: false)
    for (index, name) in zip(mangled, names) {
      functions[index].name = Self.shortened(String(name))
    }
  }

  /// The function that has an instruction there.
  func function(at address: UInt64) -> Function? {
    var low = 0
    var high = functions.count
    while low < high {
      let middle = (low + high) / 2
      if functions[middle].address <= address { low = middle + 1 } else { high = middle }
    }
    return low > 0 ? functions[low - 1] : nil
  }

  /// `0000000000103390 <name>:`.
  private static func symbol(_ line: Substring) -> String? {
    guard line.hasSuffix(">:"), let start = line.firstIndex(of: "<") else { return nil }
    return String(line[line.index(after: start)...].dropLast(2))
  }

  /// Every generic function of the monitor is specialised, and says so.
  private static func shortened(_ name: String) -> String {
    name.replacing("specialized ", with: "")
  }
}
