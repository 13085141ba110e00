// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Where the parts of this project lie in its working tree.
public struct Project: Sendable, Equatable {
  /// The directory with Package.swift.
  public let root: String

  public init(root: String) { self.root = root }

  /// The project that contains the current directory.
  public static func current() throws -> Project {
    var directory = FileManager.default.currentDirectoryPath
    while !directory.isEmpty {
      if Files.exists(directory + "/Package.swift"), Files.exists(directory + "/Sources/Lab") {
        return Project(root: directory)
      }
      directory = String(directory[..<(directory.lastIndex(of: "/") ?? directory.startIndex)])
    }
    throw LabError.machine("run this inside the Apus working tree")
  }

  /// Everything the lab writes.
  public var lab: String { root + "/build/lab" }
  /// The monitor's image, made by `make monitor`.
  public var monitor: String { root + "/build/monitor" }
  /// The same with its symbols.
  public var monitorWithSymbols: String {
    root + "/.build/monitor/x86_64-unknown-none-elf/release/Monitor"
  }
  /// The command, made by `make vmm`.
  public var apus: String { root + "/build/apus" }

  /// What counts instructions in QEMU, made by `make lab`.
  public var countingPlugin: String { root + "/build/qemu-count.so" }

  /// The first sector of a disk, made by `make boot-sector`.
  public var bootSector: String { root + "/build/boot-sector" }

  /// The driver for one kernel, made by `make driver`.
  public func driver(for release: String) -> String { root + "/build/driver/\(release)/apus.ko" }

  /// Logs and results of one scenario.
  public func results(of scenario: String) -> String { lab + "/" + scenario }
}
