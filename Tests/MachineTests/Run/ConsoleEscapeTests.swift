// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Machine

@Suite("The console's escape")
struct ConsoleEscapeTests {
  private func filter(_ parts: String...) -> [ConsoleInput] {
    var escape = ConsoleEscape()
    return parts.map { escape.filter($0.utf8) }
  }

  @Test("lets all other keys through, Ctrl-C included")
  func plain() { #expect(filter("ls\r\u{3}") == [.bytes([0x6c, 0x73, 0x0d, 0x03])]) }

  @Test("quits on Ctrl-A x, also when the keys arrive one by one")
  func quit() {
    #expect(filter("\u{1}x") == [.quit])
    #expect(filter("a\u{1}", "X") == [.bytes([0x61]), .quit])
  }

  @Test("sends Ctrl-A when it is typed twice, and swallows an unknown escape")
  func others() {
    #expect(filter("\u{1}\u{1}x") == [.bytes([1, 0x78])])
    #expect(filter("\u{1}qx") == [.bytes([0x78])])
  }
}
