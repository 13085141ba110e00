// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Installs what the lab needs on Debian 12, by package name.
public struct DebianSetup: Sendable {
  /// From the release itself: to build the driver and to fill the emulated machines.
  static let packages = [
    "gcc", "make", "linux-headers-cloud-amd64", "kmod", "busybox-static", "rt-tests", "stress-ng",
    "binutils",
  ]
  /// From its backports: the release's own QEMU emulates no x2APIC, and this QEMU needs its own
  /// firmware.
  static let emulator = ["qemu-system-x86", "qemu-system-common", "qemu-system-data", "seabios"]
  /// From the release itself, for development only: the Intel machines, with a PC's firmware for
  /// those that run Linux; what loads a crash kernel; what opens sockets between guest and host;
  /// what checks the model of the kick protocol.
  static let development =
    ["bochs", "bochsbios", "kexec-tools", "socat", "spin", "xz-utils"] + guestFirmware
  /// From the release itself: UEFI for QEMU's guests.
  static let guestFirmware = ["ovmf"]
  /// From the release itself: the source of the kernel with detectors, and what that is built with.
  static let debugKernel = [kernelSource, "bc", "bison", "flex", "libelf-dev", "xz-utils"]
  /// From the release itself: what makes a root file system for a guest.
  static let debianRoot = ["mmdebstrap", "e2fsprogs"]
  static let kernelSource = "linux-source-6.1"
  /// The metapackage of headers, which the backports have for a newer kernel.
  static let headers = "linux-headers-cloud-amd64"
  /// The first QEMU whose software emulation has x2APIC.
  static let oldestQEMU = 9

  /// For what.
  public enum Purpose: Sendable {
    case demo
    /// The driver is also built for a second kernel, and there are Intel machines.
    case development
    /// A kernel with detectors is built.
    case debugKernel
    /// A disk with a Debian is made.
    case debianRoot

    /// What it takes beside what all take.
    var packages: [String] {
      switch self {
      case .demo: []
      case .development: DebianSetup.development
      case .debugKernel: DebianSetup.debugKernel
      case .debianRoot: DebianSetup.debianRoot
      }
    }
  }

  let terminal: Terminal
  let purpose: Purpose

  public init(for purpose: Purpose, terminal: Terminal) {
    self.terminal = terminal
    self.purpose = purpose
  }

  /// Installs what is missing; asks the network for nothing if nothing is.
  public func run() async throws {
    let installed = try await Self.installedVersions()
    let packages = Self.packages + purpose.packages
    let missing = packages.filter { installed[$0] == nil }
    let needsQEMU = !Self.isNewEnough(installed["qemu-system-x86"])
    let needsHeaders = purpose == .development && !Self.hasNewerHeaders(installed.keys)
    guard !missing.isEmpty || needsQEMU || needsHeaders else {
      terminal.step("every package is installed")
      return
    }
    let codename = try Self.codename(osRelease: try Files.readText("/etc/os-release"))
    let suite = codename + "-backports"
    if needsQEMU || needsHeaders { try await addSource(of: suite, beside: codename) }
    terminal.step("apt-get update")
    try await apt(["update", "-qq"])
    var wanted = missing
    // The suite is named for these packages only: apt may take nothing else from it by itself.
    if needsQEMU { wanted += Self.emulator.map { "\($0)/\(suite)" } }
    if needsHeaders { wanted.append("\(try await newerHeaders())/\(suite)") }
    terminal.step("installing \(wanted.joined(separator: " "))")
    try await install(wanted)
  }

  /// Whether the headers of a kernel newer than Debian 12's own 6.1 are there.
  static func hasNewerHeaders(_ packages: some Sequence<String>) -> Bool {
    newerHeaders(among: packages) != nil
  }

  /// Their package; the last in alphabetical order if there are several.
  static func newerHeaders(among packages: some Sequence<String>) -> String? {
    packages.filter {
      $0.hasPrefix("linux-headers-") && $0.hasSuffix("-cloud-amd64") && $0 != headers
        && !$0.hasPrefix("linux-headers-6.1.0-")
    }.max()
  }

  /// The package that the newest version of the metapackage stands for. The metapackage itself is
  /// installed in the release's version.
  private func newerHeaders() async throws -> String {
    let text = try await Command("apt-cache", ["show", Self.headers]).output()
    let releases = try text.split(separator: "\n").filter { $0.hasPrefix("Depends: ") }
      .map {
        try KernelPackage.release(
          inDependency: String($0.dropFirst("Depends: ".count)), of: Self.headers
        ).release
      }
    guard let newer = releases.first(where: { !$0.hasPrefix("6.1.0-") }) else {
      throw LabError.malformed(file: "apt-cache show \(Self.headers)", reason: "has only 6.1.0")
    }
    return "linux-headers-" + newer
  }

  /// Writes a source for backports beside the machine's own, from which it takes mirror and key.
  private func addSource(of suite: String, beside codename: String) async throws {
    let sources = try Self.sources()
    if sources.contains(where: { $0.offers(suite: suite) }) { return }
    guard let source = AptSource.backports(of: codename, in: sources) else {
      throw LabError.noSource(suite: codename)
    }
    terminal.step("adding \(suite) to apt's sources")
    let file = FileManager.default.temporaryDirectory.path + "/apus-backports.sources"
    try Files.write(source.deb822, to: file)
    _ = try await Command.ofRoot(
      "install", ["-m", "644", file, "/etc/apt/sources.list.d/apus-backports.sources"]
    ).output()
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

  static func installedVersions() async throws -> [String: String] {
    let format = "-f=${Package} ${db:Status-Status} ${Version}\\n"
    let text = try await Command("dpkg-query", ["-W", format]).output()
    return installed(text)
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
    _ = try await Command.ofRoot(
      "env",
      ["DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=300"] + arguments
    ).output()
  }
}
