// SPDX-License-Identifier: Apache-2.0

/// A stock Debian on a disk, for a guest: what Debian's mmdebstrap makes of the machine's own mirror, in an
/// ext4 file system without partitions, with the kernel and the initial RAM disk that are in it beside it.
///
/// root has no password.
public struct DebianRoot: Sendable {
  /// In addition to what the variant "minbase" has: Debian's kernel, systemd, and a console to log in at.
  static let packages = [
    "linux-image-cloud-amd64", "initramfs-tools", "systemd-sysv", "udev", "e2fsprogs", "iproute2",
  ]
  /// MiB; the files take about 360.
  static let size = 1024

  /// Below the project's root, so that scenarios can name them.
  static let directory = "build/debian-root"
  static let disk = directory + "/disk.ext4"
  static let kernel = directory + "/vmlinuz"
  static let initrd = directory + "/initrd.img"

  let project: Project
  let terminal: Terminal

  public init(project: Project, terminal: Terminal) {
    self.project = project
    self.terminal = terminal
  }

  /// Makes what is not there yet. It takes root (or sudo), and some minutes.
  public func build() async throws {
    let files = [Self.disk, Self.kernel, Self.initrd].map { "\(project.root)/\($0)" }
    if files.allSatisfy(Files.exists) {
      terminal.step("the root file system is there")
      return
    }
    let codename = try DebianSetup.codename(osRelease: try Files.readText("/etc/os-release"))
    guard let sources = AptSource.release(codename, in: try DebianSetup.sources()) else {
      throw LabError.noSource(suite: codename)
    }
    let directory = "\(project.root)/\(Self.directory)"
    let tree = directory + "/tree"
    try Files.makeEmptyDirectory(directory)
    let list = directory + "/debian.sources"
    try Files.write(sources.deb822, to: list)
    terminal.step("mmdebstrap \(codename)")
    _ = try await Command.ofRoot(
      "mmdebstrap",
      [
        "--quiet", "--variant=minbase", "--include=\(Self.packages.joined(separator: ","))",
        "--customize-hook=chroot \"$1\" passwd --quiet --delete root", codename, tree, list,
      ]
    ).output()
    terminal.step("making the file system")
    let unfinished = files[0] + ".unfinished"
    try await copyBootFiles(from: tree + "/boot", to: files)
    _ = try await Command.ofRoot(
      "/sbin/mke2fs", ["-q", "-F", "-t", "ext4", "-d", tree, unfinished, "\(Self.size)M"]
    ).output()
    // The last of the files that tell that all is there.
    _ = try await Command.ofRoot("mv", [unfinished, files[0]]).output()
    _ = try await Command.ofRoot("rm", ["-rf", "--one-file-system", tree]).output()
  }

  private func copyBootFiles(from boot: String, to files: [String]) async throws {
    let names = try Files.names(in: boot)
    for (prefix, file) in [("vmlinuz-", files[1]), ("initrd.img-", files[2])] {
      guard let name = names.first(where: { $0.hasPrefix(prefix) }) else {
        throw LabError.machine("mmdebstrap left no \(prefix)… in /boot")
      }
      _ = try await Command.ofRoot(
        "install", ["-m", "644", "\(boot)/\(name)", file]
      ).output()
    }
  }
}
