// SPDX-License-Identifier: Apache-2.0

/// A reboot at the end of a script, and what the console shows of it: no report comes any more.
enum Reboot {
  private static let mark = "lab: reboot"
  static let restart = "reboot: Restarting system"

  /// The script's last lines. The machine is given so many seconds to restart.
  static func script(seconds: Int) -> String {
    """
    echo 'done 0' >&3
    dmesg -n 8
    echo '\(mark)' > /dev/kmsg
    reboot -f
    sleep \(seconds)
    """
  }

  /// The console from the reboot up to the restart, both lines included; or what is wrong.
  static func console(of report: Report) -> Result<ArraySlice<String>, Problem> {
    guard let asked = report.console.lastIndex(where: { $0.contains(mark) }) else {
      return .failure(Problem(words: "the reboot was not asked for"))
    }
    let rest = report.console[asked...]
    guard let restarted = rest.firstIndex(where: { $0.contains(restart) }) else {
      return .failure(Problem(words: "the machine did not restart"))
    }
    return .success(rest[...restarted])
  }

  struct Problem: Error {
    let words: String
  }
}
