// SPDX-License-Identifier: Apache-2.0

/// What must hold of build/monitor, whatever it does when it runs.
public struct MonitorImageCheck: Sendable {
  /// Bytes; an image this large or larger is refused.
  static let limit = 256 << 10

  let project: Project

  public init(project: Project) { self.project = project }

  /// Checks the size of the image, and that it uses no floating point and no vector register:
  /// those hold the guest's values while the monitor runs.
  public func run() async throws -> [Report.Check] {
    guard Files.exists(project.monitor) else {
      throw LabError.notBuilt(what: "monitor", path: project.monitor, remedy: "make monitor")
    }
    let size = try Files.read(project.monitor).count
    // A missing objdump is an error here, not an empty disassembly.
    let disassembly = try await Command(
      "objdump", ["-d", "--no-show-raw-insn", "-M", "att", project.monitor]
    ).output()
    return [
      Report.Check(
        name: "monitor-size", passed: size < Self.limit, detail: "\(size) of \(Self.limit) bytes"),
      Self.judge(disassembly: disassembly),
    ]
  }

  static func judge(disassembly: String) -> Report.Check {
    var instructions = 0
    var offenders: [String] = []
    for line in disassembly.split(separator: "\n") {
      guard let instruction = Instruction(line: line) else { continue }
      instructions += 1
      if instruction.touchesVectorState { offenders.append(line.trimmingSpace) }
    }
    let name = "monitor-without-floating-point"
    if instructions < 100 {
      return .init(name: name, passed: false, detail: "only \(instructions) instructions found")
    }
    guard let first = offenders.first else {
      return .init(name: name, passed: true, detail: "\(instructions) instructions")
    }
    return .init(
      name: name, passed: false, detail: "\(offenders.count) instructions, the first: \(first)")
  }

  /// A line of objdump: `  100010:	mov    %rax,%rbx`.
  private struct Instruction {
    let mnemonic: Substring
    let operands: Substring

    init?(line: Substring) {
      let fields = line.split(separator: "\t")
      guard fields.count >= 2, fields[0].last == ":" else { return nil }
      mnemonic = fields[1].prefix { $0 != " " }
      operands = fields[1].dropFirst(mnemonic.count)
    }

    /// Saving and restoring the guest's state whole is what the monitor may do.
    private static let allowed: Set<Substring> = [
      "fxsave", "fxsave64", "fxrstor", "fxrstor64", "fninit", "finit", "fnclex",
    ]

    var touchesVectorState: Bool {
      if Self.allowed.contains(mnemonic) { return false }
      return mnemonic.hasPrefix("f") || mnemonic == "emms"
        || ["%xmm", "%ymm", "%zmm", "%mm", "%st"].contains { operands.contains($0) }
    }
  }
}

extension Substring {
  fileprivate var trimmingSpace: String {
    split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }
}
