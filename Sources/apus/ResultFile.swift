// SPDX-License-Identifier: Apache-2.0
import Figures
import Machine
import SystemPackage

/// The file that a run's figures go to. It is opened before the run, so that none is lost to a
/// mistyped name.
struct ResultFile: ~Copyable {
  private let descriptor: FileDescriptor
  private let path: String

  init(_ path: String) throws(SetupError) {
    do {
      descriptor = try FileDescriptor.open(
        FilePath(path), .writeOnly, options: [.create, .closeOnExec],
        permissions: [.ownerReadWrite, .groupRead, .otherRead])
    } catch {
      throw .unwritable(path: path, error as? Errno ?? .ioError)
    }
    self.path = path
  }

  deinit { try? descriptor.close() }

  /// Replaces what the file had.
  func write(_ report: JSONReport) throws(SetupError) { try write(text: JSON.text(report) + "\n") }

  /// The same with a text as it is.
  func write(text: String) throws(SetupError) {
    // A pipe or a device has no size to cut.
    try? descriptor.resize(to: 0)
    do {
      try descriptor.writeAll(text.utf8)
    } catch {
      throw .unwritable(path: path, error as? Errno ?? .ioError)
    }
  }
}
