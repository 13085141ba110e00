// SPDX-License-Identifier: Apache-2.0

/// A small host kernel with Linux's detectors of a driver's mistakes, built from Debian's source.
///
/// The parts of its configuration are Tests/DebugKernel/*.config. The source tree stays, for the driver
/// is built against it.
public struct DebugKernel: Sendable {
  /// How its release ends: CONFIG_LOCALVERSION.
  static let suffix = "-debug"

  let project: Project
  let terminal: Terminal

  public init(project: Project, terminal: Terminal) {
    self.project = project
    self.terminal = terminal
  }

  /// The one that has been built.
  static func built(in project: Project) throws -> Kernel {
    let kernels = project.lab + "/kernels"
    let names = Files.exists(kernels) ? try Files.names(in: kernels) : []
    guard let release = names.last(where: { $0.hasSuffix(suffix) }) else {
      throw LabError.notBuilt(
        what: "the kernel with detectors", path: "\(kernels)/*\(suffix)",
        remedy: "make debug-kernel")
    }
    let directory = "\(kernels)/\(release)"
    return Kernel(
      release: release, version: try Files.readText(directory + "/version"), directory: directory)
  }

  /// Builds what is not built yet.
  public func build() async throws -> Kernel {
    let version = try await Command(
      "dpkg-query", ["-W", "-f=${Version}", DebianSetup.kernelSource]
    ).output()
    try await unpack(version)
    try await configure()
    terminal.step("building the kernel")
    let jobs = try await Command("nproc").output().filter(\.isNumber)
    try await make(["-j\(jobs)", "bzImage", "modules"]).passThrough()
    return try await install(version)
  }

  private var directory: String { project.root + "/build/debug-kernel" }
  private var source: String { "\(directory)/\(DebianSetup.kernelSource)" }

  private func make(_ arguments: [String]) -> Command {
    Command("nice", ["make", "-s", "-C", source] + arguments)
  }

  private func unpack(_ version: String) async throws {
    let mark = directory + "/version"
    if Files.exists(mark), try Files.readText(mark) == version { return }
    terminal.step("unpacking the source of \(version)")
    try Files.makeEmptyDirectory(directory)
    _ = try await Command(
      "tar", ["-xJf", "/usr/src/\(DebianSetup.kernelSource).tar.xz", "-C", directory]
    ).output()
    try Files.write(version, to: mark)
  }

  /// Everything that no fragment names is off, or what its own default is where it cannot be chosen.
  private func configure() async throws {
    let folder = project.root + "/Tests/DebugKernel"
    let wanted = try Files.names(in: folder).filter { $0.hasSuffix(".config") }
      .map { try Files.readText("\(folder)/\($0)") }.joined()
    let fragment = directory + "/wanted.config"
    let configuration = source + "/.config"
    if Files.exists(configuration), Files.exists(fragment),
      try Files.readText(fragment) == wanted
    {
      return
    }
    try Files.remove(configuration)
    try Files.write(wanted, to: fragment)
    _ = try await make(["KCONFIG_ALLCONFIG=\(fragment)", "allnoconfig"]).output()
    let missing = Self.missing(of: wanted, in: try Files.readText(configuration))
    guard missing.isEmpty else {
      try Files.remove(configuration)
      throw LabError.malformed(
        file: folder, reason: "the kernel cannot have \(missing.joined(separator: ", "))")
    }
  }

  /// Lines of a wanted configuration that the kernel's own lacks: something that they depend on is off.
  static func missing(of wanted: String, in configuration: String) -> [String] {
    let lines = Set(configuration.split(separator: "\n"))
    return wanted.split(separator: "\n").filter { line in
      if line.hasPrefix("CONFIG_") { return !lines.contains(line) }
      guard line.hasPrefix("# CONFIG_"), line.hasSuffix(" is not set") else { return false }
      let name = line.dropFirst("# ".count).prefix { $0 != " " }
      return lines.contains { $0.hasPrefix(name + "=") }
    }.map(String.init)
  }

  /// In the shape of an unpacked package.
  private func install(_ version: String) async throws -> Kernel {
    let release = try await make(["kernelrelease"]).output().filter { !$0.isNewline }
    let kernel = Kernel(
      release: release, version: version, directory: "\(project.lab)/kernels/\(release)")
    let unfinished = kernel.directory + ".unfinished"
    try Files.makeEmptyDirectory(unfinished + "/boot")
    let image = "\(source)/arch/x86/boot/bzImage"
    _ = try await Command("cp", [image, "\(unfinished)/boot/vmlinuz-\(release)"]).output()
    _ = try await make(["INSTALL_MOD_PATH=\(unfinished)", "modules_install"]).output()
    try Files.write(version, to: unfinished + "/version")
    try Files.remove(kernel.directory)
    _ = try await Command("mv", [unfinished, kernel.directory]).output()
    // It fits one build of the kernel.
    try Files.remove(project.driver(for: release))
    return kernel
  }
}
