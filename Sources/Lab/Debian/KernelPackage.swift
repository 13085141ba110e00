// SPDX-License-Identifier: Apache-2.0

/// A Debian kernel, used as data: unpacked, never installed.
///
/// The image unpacked is of the version of the installed headers, so that a driver built against them
/// fits. One is built here, from Debian's source: `DebugKernel`.
public enum KernelPackage: String, Sendable, CaseIterable, CustomStringConvertible {
  /// The default: Debian 12's kernel for virtual machines.
  case cloud
  /// A newer one, of the backports.
  case backports
  /// A small one with Linux's detectors of a driver's mistakes: `make debug-kernel` builds it.
  case debug

  /// As a summary names it.
  public var description: String {
    switch self {
    case .cloud: "Debian 12's kernel"
    case .backports: "the backports' kernel"
    case .debug: "a kernel with detectors"
    }
  }

  /// What a guest runs on such a host.
  var guest: KernelPackage { self == .debug ? .cloud : self }

  /// Unpacks the kernel below build/lab unless that is done, and returns it.
  public func prepare(in project: Project) async throws -> Kernel {
    if self == .debug { return try DebugKernel.built(in: project) }
    let (release, version) = try await installedRelease()
    let directory = project.lab + "/kernels/" + release
    let kernel = Kernel(release: release, version: version, directory: directory)
    if !Files.exists(kernel.moduleDependencies) { try await unpack(kernel) }
    return kernel
  }

  /// The release and package version that the installed headers are for.
  private func installedRelease() async throws -> (release: String, version: String) {
    if self == .backports { return try await Self.newerRelease() }
    let headers = DebianSetup.headers
    let text: String
    do {
      text = try await Command("dpkg-query", ["-W", "-f=${Depends}", headers]).output()
    } catch LabError.commandFailed {
      throw LabError.notInstalled(packages: [headers])
    }
    return try Self.release(inDependency: text, of: headers)
  }

  private static func newerRelease() async throws -> (release: String, version: String) {
    let installed = try await DebianSetup.installedVersions()
    guard let package = DebianSetup.newerHeaders(among: installed.keys),
      let version = installed[package]
    else { throw LabError.notInstalled(packages: ["\(DebianSetup.headers) of the backports"]) }
    return (String(package.dropFirst("linux-headers-".count)), version)
  }

  /// Reads `linux-headers-6.1.0-56-cloud-amd64 (= 6.1.192-2), ...`.
  static func release(
    inDependency text: String, of package: String
  ) throws(LabError) -> (release: String, version: String) {
    let prefix = "linux-headers-"
    for dependency in text.split(separator: ",") {
      let words = dependency.split(whereSeparator: { " ()=".contains($0) })
      if words.count == 2, words[0].hasPrefix(prefix) {
        return (String(words[0].dropFirst(prefix.count)), String(words[1]))
      }
    }
    throw .malformed(file: package, reason: "depends on no headers of an exact version: \(text)")
  }

  private func unpack(_ kernel: Kernel) async throws {
    let unfinished = kernel.directory + ".unfinished"
    try Files.makeEmptyDirectory(unfinished)
    // The working directory decides where apt-get writes; it has no option for that.
    let package = "linux-image-\(kernel.release)=\(kernel.version)"
    _ = try await Command(
      "sh", ["-c", "cd \"$1\" && apt-get download -qq \"$2\"", "sh", unfinished, package]
    ).output()
    guard let file = try Files.names(in: unfinished).first(where: { $0.hasSuffix(".deb") }) else {
      throw LabError.machine("apt-get downloaded nothing for \(package)")
    }
    _ = try await Command("dpkg", ["-x", "\(unfinished)/\(file)", unfinished]).output()
    try Files.remove("\(unfinished)/\(file)")
    // Busybox inserts no compressed modules.
    _ = try await Command(
      "find", [unfinished, "-name", "*.ko.xz", "-exec", "xz", "--decompress", "{}", "+"]
    ).output()
    _ = try await Command("/sbin/depmod", ["-b", unfinished, kernel.release]).output()
    try Files.remove(kernel.directory)
    _ = try await Command("mv", [unfinished, kernel.directory]).output()
  }
}
