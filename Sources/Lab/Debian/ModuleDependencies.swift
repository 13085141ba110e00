// SPDX-License-Identifier: Apache-2.0

/// What a kernel's modules.dep says: which modules a module needs.
public struct ModuleDependencies: Sendable, Equatable {
  /// Path below /lib/modules/<release>, by name.
  private var paths: [String: String] = [:]
  /// Paths that a path needs, nearest first, as depmod writes them.
  private var needs: [String: [String]] = [:]
  private var builtIn: Set<String> = []

  /// Reads the text of modules.dep: `path: path path ...`, one module a line.
  public init(parsing text: String) {
    for line in text.split(separator: "\n") {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let path = String(line[..<colon])
      paths[Self.name(ofPath: path)] = path
      needs[path] = line[line.index(after: colon)...].split(separator: " ").map(String.init)
    }
  }

  /// Those of modules.builtin, a path a line, which are there without a file.
  public mutating func addBuiltIn(parsing text: String) {
    for line in text.split(separator: "\n") { builtIn.insert(Self.name(ofPath: String(line))) }
  }

  /// The modules to insert for `names`, in an order in which each finds what it needs.
  public func insertionOrder(of names: [String]) throws(LabError) -> [String] {
    var order: [String] = []
    for name in names {
      if builtIn.contains(Self.normalised(name)) { continue }
      guard let path = paths[Self.normalised(name)] else { throw .noSuchModule(name) }
      // depmod lists the whole closure, and what is needed by others comes last.
      for module in (needs[path] ?? []).reversed() + [path] where !order.contains(module) {
        order.append(module)
      }
    }
    return order
  }

  /// `kernel/arch/x86/kvm/kvm-amd.ko.xz` is the module kvm_amd.
  static func name(ofPath path: String) -> String {
    let file = path.split(separator: "/").last ?? ""
    return normalised(String(file.prefix { $0 != "." }))
  }

  /// Linux takes `-` and `_` in module names for the same.
  private static func normalised(_ name: String) -> String {
    String(name.map { $0 == "-" ? "_" : $0 })
  }
}
