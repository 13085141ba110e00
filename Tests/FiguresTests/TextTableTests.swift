// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Figures

@Suite("A table of text")
struct TextTableTests {
  @Test("has columns that line up, and a rule below its heading")
  func description() {
    var table = TextTable(["", "bare", "apus"])
    table.addRow(["max", "7", "12345"])
    table.addRow(["note"])
    #expect(
      table.description == """
              bare   apus
        ─────────────────
        max      7  12345
        note
        """)
  }

  @Test("does not fill the last column where that begins at the left")
  func lines() {
    var table = TextTable(["NAME", "PID", "STATE"], leftColumns: [0, 2])
    table.addRows([["a", "1", "running"], ["bcdef", "22", "-"]])
    #expect(table.lines == ["NAME   PID  STATE", "a        1  running", "bcdef   22  -"])
  }
}
