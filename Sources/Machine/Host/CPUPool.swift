// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// The CPUs that the driver lends to clients which name none, QEMU among them: its parameter `pool`.
public struct CPUPool {
  static let path = "/sys/module/apus/parameters/pool"
  private let files: HostFiles

  public init(_ files: HostFiles = HostFiles()) { self.files = files }

  public func read() throws(PoolError) -> CPUList {
    guard let text = files.text(Self.path) else { throw .noDriver }
    return CPUList(text) ?? CPUList([])
  }

  /// Names other CPUs, or none. What is lent stays lent.
  public func set(_ list: CPUList) throws(PoolError) {
    guard files.exists(Self.path) else { throw .noDriver }
    guard !list.cpus.contains(0) else { throw .cpu0 }
    let missing = list.cpus.filter { !files.presentCPUs.contains($0) }
    guard missing.isEmpty else { throw .noSuchCPUs(CPUList(missing), present: files.possibleCPUs) }
    do {
      let descriptor = try FileDescriptor.open(
        FilePath(files.root + Self.path), .writeOnly, options: [.truncate])
      _ = try descriptor.closeAfter { try descriptor.writeAll("\(list)\n".utf8) }
    } catch {
      let errno = error as? Errno ?? .ioError
      if [.permissionDenied, .notPermitted].contains(errno) { throw .noPermission }
      throw .refused(list, errno)
    }
  }
}

/// Why a pool could not be read or set.
public enum PoolError: Error, Equatable, CustomStringConvertible {
  case noDriver
  case cpu0
  case noSuchCPUs(CPUList, present: String)
  case noPermission
  case refused(CPUList, Errno)

  /// Another argument would have done.
  public var isUsage: Bool {
    switch self {
    case .cpu0, .noSuchCPUs: true
    case .noDriver, .noPermission, .refused: false
    }
  }

  public var description: String {
    switch self {
    case .noDriver: "the module is not loaded: modprobe apus, as root"
    case .cpu0: "CPU 0 cannot be lent, because Linux needs it: name others"
    case .noSuchCPUs(let cpus, let present):
      "there is no CPU \(cpus); this machine has \(present)"
    case .noPermission: "no permission to change the pool: run as root"
    case .refused(let cpus, let errno): "the driver refused \(cpus) as its pool: \(errno)"
    }
  }
}
