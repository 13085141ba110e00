// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Installs what the lab needs on Debian 12, by package name.
public struct DebianSetup: Sendable {
  /// From the release itself: to build the driver and to fill the emulated machines.
  static let packages = [
    "gcc", "make", "linux-headers-cloud-amd64", "kmod", "busybox-static", "rt-tests", "util-linux",
    "binutils",
  ]
  /// From its backports: the release's own QEMU emulates no x2APIC.
  static let backports = ["qemu-system-x86", "qemu-system-common", "qemu-system-data"]
  /// The first QEMU whose software emulation has x2APIC.
  static let oldestQEMU = 9

  let terminal: Terminal

  public init(terminal: Terminal) { self.terminal = terminal }

  /// Installs what is missing; asks the network for nothing if nothing is.
  public func run() async throws {
    let installed = try await installedVersions()
    let missing = Self.packages.filter { installed[$0] == nil }
    let needsQEMU = !Self.isNewEnough(installed["qemu-system-x86"])
    guard !missing.isEmpty || needsQEMU else {
      terminal.step("every package is installed")
      return
    }
    let codename = try Self.codename(osRelease: try Files.readText("/etc/os-release"))
    if needsQEMU { try await addBackports(of: codename) }
    terminal.step("apt-get update")
    try await apt(["update", "-qq"])
    if !missing.isEmpty {
      terminal.step("installing \(missing.joined(separator: " "))")
      try await install(missing)
    }
    if needsQEMU {
      terminal.step("installing QEMU from \(codename)-backports")
      try await install(Self.backports.map { "\($0)/\(codename)-backports" })
    }
  }

  /// Writes a source for backports beside the machine's own, from which it takes mirror and key.
  private func addBackports(of codename: String) async throws {
    let suite = codename + "-backports"
    let sources = try Self.sources()
    if sources.contains(where: { $0.offers(suite: suite) }) { return }
    guard let source = AptSource.backports(of: codename, in: sources) else {
      throw LabError.noSource(suite: codename)
    }
    terminal.step("adding \(suite) to apt's sources")
    let file = FileManager.default.temporaryDirectory.path + "/apus-backports.sources"
    try Files.write(source.deb822, to: file)
    try await privileged(
      "install", ["-m", "644", file, "/etc/apt/sources.list.d/apus-backports.sources"])
    try Files.remove(file)
  }

  static func sources() throws -> [AptSource] {
    let directory = "/etc/apt/sources.list.d"
    let parts = Files.exists(directory) ? try Files.names(in: directory) : []
    return try (["/etc/apt/sources.list"] + parts.map { "\(directory)/\($0)" })
      .filter(Files.exists)
      .flatMap { AptSource.parse(try Files.readText($0), file: $0) }
  }

  /// VERSION_CODENAME of /etc/os-release.
  static func codename(osRelease: String) throws(LabError) -> String {
    for line in osRelease.split(separator: "\n") where line.hasPrefix("VERSION_CODENAME=") {
      return String(line.dropFirst("VERSION_CODENAME=".count).filter { $0 != "\"" })
    }
    throw .malformed(file: "/etc/os-release", reason: "names no VERSION_CODENAME; is this Debian?")
  }

  /// Whether a package version such as `1:10.0.2+ds-2` will do.
  static func isNewEnough(_ version: String?) -> Bool {
    let upstream = (version ?? "").split(separator: ":").last ?? ""
    return (Int(upstream.prefix(while: \.isNumber)) ?? 0) >= oldestQEMU
  }

  private func installedVersions() async throws -> [String: String] {
    let format = "-f=${Package} ${db:Status-Status} ${Version}\\n"
    let text = try await Command("dpkg-query", ["-W", format]).output()
    return Self.installed(text)
  }

  /// Reads lines of `package status version`.
  static func installed(_ text: String) -> [String: String] {
    var versions: [String: String] = [:]
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      if words.count == 3, words[1] == "installed" { versions[String(words[0])] = String(words[2]) }
    }
    return versions
  }

  private func install(_ packages: [String]) async throws {
    try await apt(["install", "-qq", "-y", "--no-install-recommends", "--no-remove"] + packages)
  }

  private func apt(_ arguments: [String]) async throws {
    try await privileged(
      "env",
      ["DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=300"] + arguments)
  }

  private func privileged(_ name: String, _ arguments: [String]) async throws {
    let command =
      geteuid() == 0 ? Command(name, arguments) : Command("sudo", [name] + arguments)
    _ = try await command.output()
  }
}
