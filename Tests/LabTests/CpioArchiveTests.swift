// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import Lab

@Suite struct CpioArchiveTests {
  @Test("A header is 110 characters: the magic and thirteen eight-digit numbers")
  func header() {
    var archive = CpioArchive()
    archive.addFile("a", Array("xyz".utf8), permissions: 0o755)
    let text = String(decoding: archive.finish(), as: UTF8.self)
    let expected =
      "070701" + "00000001" + "000081ED" + "00000000" + "00000000" + "00000001" + "00000000"
      + "00000003" + "00000000" + "00000000" + "00000000" + "00000000" + "00000002" + "00000000"
    #expect(text.hasPrefix(expected + "a\0xyz\0"))
  }

  @Test("Every entry starts at a multiple of four", arguments: ["a", "ab", "abc", "abcd", "abcde"])
  func alignment(name: String) {
    var archive = CpioArchive()
    archive.addFile(name, Array(name.utf8))
    let bytes = archive.finish()
    let text = String(decoding: bytes, as: UTF8.self)
    let trailer = text.components(separatedBy: "070701")
    #expect(trailer.count == 3)
    #expect(bytes.count % 4 == 0)
    #expect(
      (110 + name.utf8.count + 1 + 3) / 4 * 4 + (name.utf8.count + 3) / 4 * 4
        == bytes.count - (110 + 11 + 3) / 4 * 4)
  }

  @Test("cpio itself reads back what was written", .enabled(if: Files.exists("/bin/busybox")))
  func readBack() async throws {
    var archive = CpioArchive()
    archive.addDirectory("etc")
    archive.addFile("etc/motd", Array("hello\n".utf8))
    archive.addLink("motd", to: "etc/motd")
    archive.addFile("empty", [])
    let directory = FileManager.default.temporaryDirectory.path + "/apus-cpio-\(UUID().uuidString)"
    try Files.makeDirectory(directory)
    defer { try? Files.remove(directory) }
    try Files.write(archive.finish(), to: directory + "/archive")
    let script = "cd \"$1\" && busybox cpio -i < archive 2> /dev/null && cat motd && readlink motd"
    let output = try await Command("sh", ["-c", script, "sh", directory]).output()
    #expect(output == "hello\netc/motd\n")
    #expect(try Files.read(directory + "/empty").isEmpty)
  }

  @Test("The same entries give the same bytes")
  func reproducible() {
    func make() -> [UInt8] {
      var archive = CpioArchive()
      archive.addDirectory("dev")
      archive.addCharacterDevice("dev/console", major: 5, minor: 1)
      return archive.finish()
    }
    #expect(make() == make())
  }
}
