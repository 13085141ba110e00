// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Lab

@Suite struct SharedLibrariesTests {
  @Test("Libraries and loader are found, the kernel's own page is not")
  func parse() throws {
    let text = """
      \tlinux-vdso.so.1 (0x00007f2ff2478000)
      \tlibnuma.so.1 => /lib/x86_64-linux-gnu/libnuma.so.1 (0x00007f2ff243f000)
      \tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f2ff225d000)
      \t/lib64/ld-linux-x86-64.so.2 (0x00007f2ff247a000)
      """
    #expect(
      try SharedLibraries.parse(text, program: "x") == [
        "/lib/x86_64-linux-gnu/libnuma.so.1", "/lib/x86_64-linux-gnu/libc.so.6",
        "/lib64/ld-linux-x86-64.so.2",
      ])
  }

  @Test("A static program needs nothing")
  func none() throws {
    #expect(try SharedLibraries.parse("\tstatically linked\n", program: "x").isEmpty)
  }

  @Test("A library that is not installed is an error, not a program that cannot start")
  func missing() {
    #expect(throws: LabError.self) {
      try SharedLibraries.parse("\tlibnuma.so.1 => not found\n", program: "cyclictest")
    }
  }
}
