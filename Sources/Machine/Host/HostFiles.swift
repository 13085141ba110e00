// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// What the kernel says about the machine in /proc and /sys.
public struct HostFiles: Sendable {
  /// Before every path: tests have a directory of their own.
  let root: String

  public init(root: String = "") { self.root = root }

  /// A file's bytes, if they are no more than `limit`.
  public static func read(_ path: String, limit: UInt64 = .max) throws(SetupError) -> [UInt8] {
    do {
      let descriptor = try FileDescriptor.open(FilePath(path), .readOnly)
      return try descriptor.closeAfter {
        var bytes: [UInt8] = []
        var size = 1 << 16
        while true {
          let part = try [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = try descriptor.read(into: UnsafeMutableRawBufferPointer(buffer))
          }
          guard !part.isEmpty else { return bytes }
          bytes += part
          guard bytes.count <= limit else {
            throw SetupError.fileTooLarge(path: path, limit: limit)
          }
          size = min(size * 2, 1 << 24)
        }
      }
    } catch let error as SetupError {
      throw error
    } catch {
      throw .unreadable(path: path, error as? Errno ?? .ioError)
    }
  }

  /// A small file's text without the final newline; nil if there is no such file.
  public func text(_ path: String) -> String? {
    guard let bytes = try? Self.read(root + path) else { return nil }
    var text = Substring(decoding: bytes, as: UTF8.self)
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }

  public func exists(_ path: String) -> Bool {
    (try? FileDescriptor.open(FilePath(root + path), .init(rawValue: 0o10000000)).close()) != nil
  }

  /// The words of the line that begins with these, without them.
  private func words(after start: String, in file: String) -> [Substring]? {
    text(file)?.split(separator: "\n").first { $0.hasPrefix(start) }?
      .dropFirst(start.count).split { $0 == " " || $0 == "\t" }
  }

  /// A line of /proc/meminfo, in bytes.
  private func memory(_ name: String) -> UInt64? {
    words(after: name + ":", in: "/proc/meminfo")?.first.flatMap { UInt64($0) }.map { $0 << 10 }
  }

  public var totalMemory: UInt64? { memory("MemTotal") }
  public var availableMemory: UInt64? { memory("MemAvailable") }

  /// Whether this process has a capability, by its number in linux/capability.h.
  private func hasCapability(_ number: Int) -> Bool {
    let effective = words(after: "CapEff:", in: "/proc/self/status")?.first
      .flatMap { UInt64($0, radix: 16) }
    return effective.map { $0 & 1 << UInt64(number) != 0 } ?? false
  }

  /// The CPUs that this process may take from Linux. Nil: any, with CAP_SYS_ADMIN or a driver that
  /// is not loaded yet.
  public var permittedCPUs: Set<Int>? {
    guard !hasCapability(21), let pool = text("/sys/module/apus/parameters/pool") else {
      return nil
    }
    return Set(CPUList(pool)?.cpus ?? [])
  }

  /// RLIMIT_MEMLOCK in bytes: as much memory as this process may have pinned. Nil: no limit, or
  /// CAP_IPC_LOCK, which is above it.
  public var lockedMemoryLimit: UInt64? {
    if hasCapability(14) { return nil }
    return words(after: "Max locked memory", in: "/proc/self/limits")?.first.flatMap { UInt64($0) }
  }

  /// In Linux's notation.
  public var possibleCPUs: String { text("/sys/devices/system/cpu/present") ?? "no CPU list" }

  private func cpus(_ name: String) -> Set<Int> {
    Set(text("/sys/devices/system/cpu/\(name)").flatMap(CPUList.init)?.cpus ?? [])
  }

  /// The other threads of a CPU's core; none of a CPU that is offline.
  public func siblings(of cpu: Int) -> Set<Int> {
    cpus("cpu\(cpu)/topology/thread_siblings_list").subtracting([cpu])
  }

  public var presentCPUs: Set<Int> { cpus("present") }
  public var onlineCPUs: Set<Int> { cpus("online") }
}
