// SPDX-License-Identifier: Apache-2.0

/// What must hold of build/monitor, whatever it does when it runs.
public struct MonitorImageCheck: Sendable {
  /// Bytes; an image this large or larger is refused, as a file and in memory.
  static let limit = 256 << 10
  /// Of apus.h: where the image is mapped, where the window after it begins, and its first bytes.
  static let base: UInt64 = 0x10_0000
  static let end: UInt64 = 0x20_0000
  static let magic: UInt64 = 0x5355_5041

  let project: Project

  public init(project: Project) { self.project = project }

  /// Checks the image's size and segments, that it uses no floating point and no vector register,
  /// which hold the guest's values while the monitor runs, and that an exit copies nothing.
  public func run() async throws -> [Report.Check] {
    guard Files.exists(project.monitor) else {
      throw LabError.notBuilt(what: "monitor", path: project.monitor, remedy: "make monitor")
    }
    let file = try Files.read(project.monitor)
    // A missing objdump is an error here, not an empty disassembly.
    let disassembly = try await Command(
      "objdump", ["-d", "--no-show-raw-insn", "-M", "att", project.monitor]
    ).output()
    return [
      Report.Check(
        name: "monitor-file-size", passed: file.count < Self.limit,
        detail: "\(file.count) of \(Self.limit) bytes"),
      Self.judge(segments: try ELFSegment.all(in: file, named: project.monitor), of: file),
      Self.judge(disassembly: disassembly),
      try await exitPath().check,
    ]
  }

  /// The driver maps each segment with its own rights: none may be written and executed.
  static func judge(segments: [ELFSegment], of file: [UInt8]) -> Report.Check {
    let size = segments.reduce(0) { $0 + $1.size }
    var problem: String?
    if let segment = segments.first(where: { $0.isWritable && $0.isExecutable }) {
      problem = "the one at 0x\(String(segment.address, radix: 16)) is writable and executable"
    } else if segments.contains(where: { $0.address < base || $0.address + $0.size > end }) {
      problem = "one lies outside of what apus.h keeps for the image"
    } else if segments.contains(where: { $0.address % 4096 != 0 }) {
      problem = "one does not begin with a page"
    } else if size >= UInt64(limit) {
      problem = "they have \(size) bytes"
    } else if segments.first.map({ file.number(at: $0.fileOffset, bytes: 4) }) != magic {
      problem = "the first one does not begin with the header"
    }
    return .init(
      name: "monitor-segments", passed: problem == nil,
      detail: problem ?? "\(segments.count) segments, \(size) bytes in memory")
  }

  static func judge(disassembly: String) -> Report.Check {
    var instructions = 0
    var offenders: [String] = []
    for line in disassembly.split(separator: "\n") {
      guard let instruction = Disassembly.Instruction(line: line) else { continue }
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
}

extension MonitorImageCheck {
  /// Functions that `runGuest` reaches, but not for an exit that is answered at once.
  static let exceptions = [
    ExitPath.Exception(
      function: "VirtualCPU.followSlots()", reason: "runs only after the client changed a slot"),
    ExitPath.Exception(
      function: "closure #1 in VirtualCPU.handlePageFault(_:)",
      reason: "runs once for a page of a device; the table that maps it is cleared first"),
    ExitPath.Exception(
      function: "Emulator.input<A>(_:)", reason: "moves the guest's own bytes, not an aggregate"),
    ExitPath.Exception(
      function: "Emulator.output<A>(_:)", reason: "moves the guest's own bytes, not an aggregate"),
  ]

  /// Nothing is copied between exit and entry.
  public func exitPath() async throws -> (check: Report.Check, offences: [String]) {
    let path = ExitPath(
      disassembly: try await Disassembly(of: project), exceptions: Self.exceptions)
    return Self.judge(path)
  }

  static func judge(_ path: ExitPath) -> (check: Report.Check, offences: [String]) {
    let (functions, offences) = path.check()
    var problem: String?
    if functions < 10 {
      problem = "only \(functions) functions between exit and entry were found"
    } else if let idle = path.idleExceptions.first {
      problem = "\(idle.function) does not exist: its exception has no reason any more"
    } else if let first = offences.first {
      problem = "\(offences.count) times, the first: \(first.calls.last ?? "") \(first.problem)"
    }
    return (
      .init(
        name: "monitor-copies-nothing-between-exit-and-entry", passed: problem == nil,
        detail: problem ?? "\(functions) functions"),
      offences.map { "\($0.calls.joined(separator: " → ")) \($0.problem)" }
    )
  }
}

extension Disassembly.Instruction {
  /// Saving and restoring the guest's state whole is what the monitor may do.
  private static let allowed: Set<Substring> = [
    "fxsave", "fxsave64", "fxrstor", "fxrstor64", "fninit", "finit", "fnclex",
  ]

  fileprivate var touchesVectorState: Bool {
    if Self.allowed.contains(mnemonic) { return false }
    return mnemonic.hasPrefix("f") || mnemonic == "emms"
      || ["%xmm", "%ymm", "%zmm", "%mm", "%st"].contains { operands.contains($0) }
  }
}

extension Substring {
  fileprivate var trimmingSpace: String {
    split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }
}
