// SPDX-License-Identifier: Apache-2.0

/// The shared libraries of a program, as `ldd` names them.
public enum SharedLibraries {
  /// Absolute paths of the libraries and the loader that `program` needs; none if it is static.
  public static func of(_ program: String) async throws -> [String] {
    do {
      return try parse(await Command("ldd", [program]).output(), program: program)
    } catch LabError.commandFailed(_, _, let message)
      where message.contains("not a dynamic executable")
    {
      return []
    }
  }

  /// Reads what ldd prints: `name => path (address)`, or `path (address)` for the loader.
  static func parse(_ text: String, program: String) throws(LabError) -> [String] {
    var paths: [String] = []
    for line in text.split(separator: "\n") {
      let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
      if line.contains("statically linked") { return [] }
      if line.contains("not found") {
        throw .malformed(
          file: program, reason: "needs \(words.first ?? "?"), which is not installed")
      }
      if let path = words.first(where: { $0.hasPrefix("/") }) { paths.append(path) }
    }
    return paths
  }
}
