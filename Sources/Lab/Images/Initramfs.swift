// SPDX-License-Identifier: Apache-2.0

/// The file system in memory that a machine of the lab boots from.
public struct Initramfs: Sendable {
  private var archive = CpioArchive()
  private var paths: Set<String> = []

  /// Busybox with all its applets; /init is the caller's.
  public init() async throws {
    for directory in ["bin", "dev", "proc", "sys", "tmp", "run", "etc", "root", "lab"] {
      makeDirectory(directory)
    }
    // The kernel opens these for /init before any devtmpfs is mounted.
    archive.addCharacterDevice("dev/console", major: 5, minor: 1)
    archive.addCharacterDevice("dev/null", major: 1, minor: 3)
    try add("/bin/busybox", at: "bin/busybox", permissions: 0o755)
    for applet in try await Command("/bin/busybox", ["--list"]).output().split(separator: "\n")
    where applet != "busybox" {
      archive.addLink("bin/\(applet)", to: "busybox")
    }
    archive.addLink("sbin", to: "bin")
  }

  /// Writes `text` to `path`, without a leading slash.
  public mutating func write(_ text: String, at path: String, permissions: UInt32 = 0o644) {
    makeParents(of: path)
    archive.addFile(path, Array(text.utf8), permissions: permissions)
  }

  /// Copies a file of the developer's machine.
  public mutating func add(_ file: String, at path: String, permissions: UInt32 = 0o644) throws {
    guard paths.insert(path).inserted else { return }
    makeParents(of: path)
    archive.addFile(path, try Files.read(file), permissions: permissions)
  }

  /// Copies bytes.
  public mutating func add(bytes: [UInt8], at path: String) {
    makeParents(of: path)
    archive.addFile(path, bytes)
  }

  /// Copies a program to /bin, and the libraries that it needs to where it looks for them.
  public mutating func addProgram(_ file: String, named name: String? = nil) async throws {
    let name = name ?? String(file.split(separator: "/").last ?? "")
    try add(file, at: "bin/\(name)", permissions: 0o755)
    for library in try await SharedLibraries.of(file) {
      try add(library, at: String(library.dropFirst()), permissions: 0o755)
    }
  }

  /// The archive for QEMU's `-initrd`, uncompressed: it never leaves this machine, and the
  /// emulated one would spend its time on unpacking.
  public consuming func finish() -> [UInt8] { archive.finish() }

  private mutating func makeParents(of path: String) {
    let names = path.split(separator: "/").dropLast()
    for count in names.indices { makeDirectory(names[...count].joined(separator: "/")) }
  }

  private mutating func makeDirectory(_ path: String) {
    if paths.insert(path).inserted { archive.addDirectory(path) }
  }
}
