// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Figures
import Machine

/// What the commands for running guests have in common.
enum Reaching {
  static let guests = """
    Guests are those of the user who asks. Their sockets are in /run/apus (root), \
    $XDG_RUNTIME_DIR/apus or /tmp/apus-UID; APUS_RUNTIME_DIR names another directory.
    """

  /// Says what went wrong, to programs too.
  static func reporting(json: Bool, _ body: () throws(ControlError) -> Void) throws {
    do throws(ControlError) {
      try body()
    } catch {
      if json { Output.standard(JSON.text(["error": "\(error)"])) }
      Output.error("apus: \(error)")
      throw ExitCode(error.isUsage ? 64 : 1)
    }
  }
}
