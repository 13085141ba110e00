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
  private var builtInModules: String { modules + "/modules.builtin" }

  /// Whether it has a module of this name, or all of several.
  func hasModules(_ names: [String]) throws -> Bool {
    do {
      _ = try moduleFiles(names)
      return true
    } catch LabError.noSuchModule { return false }
  }

  /// Files of the modules `names` and of all that they need, in the order of insertion. What is built
  /// into the kernel has none.
  public func moduleFiles(_ names: [String]) throws -> [String] {
    var dependencies = ModuleDependencies(parsing: try Files.readText(moduleDependencies))
    if Files.exists(builtInModules) {
      dependencies.addBuiltIn(parsing: try Files.readText(builtInModules))
    }
    return try dependencies.insertionOrder(of: names).map { "\(modules)/\($0)" }
  }
}
