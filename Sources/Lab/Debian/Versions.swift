// SPDX-License-Identifier: Apache-2.0

/// Versions of what took part in a run.
enum Versions {
  static func emulator(of vendor: Vendor) async throws -> String {
    switch vendor {
    case .amd:
      let text = try await Command("qemu-system-x86_64", ["--version"]).output()
      return String(text.split(separator: "\n").first ?? "")
    case .intel: return "Bochs " + (try await package("bochs").prefix { $0 != "+" })
    }
  }

  /// Host and guest run the same kernel.
  static func all(in project: Project, emulatorOf vendor: Vendor) async throws -> [String: String] {
    let kernel = try await KernelPackage.cloud.prepare(in: project)
    let emulator = vendor == .amd ? "qemu-system-x86" : "bochs"
    return [
      "apus": try await commit(of: project),
      "kernel": kernel.release,
      "kernel-package": kernel.version,
      "rt-tests": try await package("rt-tests"),
      emulator: try await package(emulator),
      "swift": try await swift(),
    ]
  }

  /// The commit, with `-dirty` where files have changed since; a tree without git has none.
  private static func commit(of project: Project) async throws -> String {
    do {
      return try await Command(
        "git", ["-C", project.root, "describe", "--always", "--dirty", "--abbrev=12"]
      ).output().trimmingLineEnd
    } catch LabError.commandFailed { return "unknown" }
  }

  private static func swift() async throws -> String {
    let text = try await Command("swift", ["--version"]).output()
    return String(text.split(separator: "\n").first ?? "")
  }

  private static func package(_ name: String) async throws -> String {
    try await Command("dpkg-query", ["-W", "-f=${Version}", name]).output()
  }
}

extension String {
  fileprivate var trimmingLineEnd: String { String(prefix { !$0.isNewline }) }
}
