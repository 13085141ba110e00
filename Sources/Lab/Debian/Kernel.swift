// SPDX-License-Identifier: Apache-2.0

/// A kernel unpacked from its Debian package.
public struct Kernel: Sendable, Equatable {
  /// What `uname -r` says.
  public let release: String
  /// The version of the package.
  public let version: String
  let directory: String

  public var image: String { "\(directory)/boot/vmlinuz-\(release)" }
  public var modules: String { "\(directory)/lib/modules/\(release)" }
  var moduleDependencies: String { modules + "/modules.dep" }

  /// Whether it has a module of this name, or all of several.
  func hasModules(_ names: [String]) throws -> Bool {
    do {
      _ = try moduleFiles(names)
      return true
    } catch LabError.noSuchModule { return false }
  }

  /// Files of the modules `names` and of all that they need, in the order of insertion.
  public func moduleFiles(_ names: [String]) throws -> [String] {
    let dependencies = ModuleDependencies(parsing: try Files.readText(moduleDependencies))
    return try dependencies.insertionOrder(of: names).map { "\(modules)/\($0)" }
  }
}
