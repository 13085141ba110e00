// SPDX-License-Identifier: Apache-2.0
import Foundation

/// Looks for names that a file uses although a higher layer declares them. A name that several folders
/// declare, or another module too, says nothing and is left out.
public struct LayerCheck {
  /// A use that points upwards.
  public struct Violation: Equatable, Sendable, CustomStringConvertible {
    public let file: String
    public let name: String
    /// The folder that declares the name.
    public let folder: String

    public var description: String {
      "\(file) uses \(name), which a higher layer declares: \(folder)"
    }
  }

  /// How many names of a folder, the second, the files of another use.
  public private(set) var uses: [String: [String: Int]] = [:]
  public private(set) var violations: [Violation] = []

  public init(_ layers: Layers, in project: Project) throws {
    let module = project.root + "/" + layers.module
    let folders = try FileManager.default.contentsOfDirectory(atPath: module)
      .filter { !$0.contains(".") }
    if let stranger = folders.first(where: { !layers.folders.contains($0) }) {
      throw LabError.malformed(
        file: "\(layers.module)/\(stranger)",
        reason: "it has no place in Sources/Lab/Structure/Layers.swift")
    }
    var files: [String: [SwiftFile]] = [:]
    for folder in folders { files[folder] = try Self.files(in: module + "/" + folder) }
    let others = try layers.imports.flatMap { try Self.files(in: project.root + "/" + $0) }
    self.init(layers, files: files, others: Set(others.flatMap(\.declarations)))
  }

  /// `others`: names that other modules declare.
  init(_ layers: Layers, files: [String: [SwiftFile]], others: Set<String> = []) {
    var owners: [String: Set<String>] = [:]
    for (folder, files) in files {
      for name in files.flatMap({ layers.looksAtMembers ? $0.declarations : $0.types }) {
        owners[name, default: []].insert(folder)
      }
    }
    for (level, folder) in layers.folders.enumerated() {
      let higher = layers.folders[(level + 1)...]
      for file in files[folder] ?? [] {
        for name in file.uses.subtracting(others).sorted() {
          guard let owner = owners[name], owner.count == 1, let other = owner.first, other != folder
          else { continue }
          uses[folder, default: [:]][other, default: 0] += 1
          guard higher.contains(other) else { continue }
          violations.append(
            Violation(file: "\(layers.module)/\(folder)/\(file.name)", name: name, folder: other))
        }
      }
    }
  }

  private static func files(in folder: String) throws -> [SwiftFile] {
    try FileManager.default.subpathsOfDirectory(atPath: folder)
      .filter { $0.hasSuffix(".swift") }.sorted()
      .map { SwiftFile(name: $0, text: try Files.readText(folder + "/" + $0)) }
  }
}
