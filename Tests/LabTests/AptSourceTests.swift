// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Lab

@Suite struct AptSourceTests {
  let stanzas = """
    # a comment
    Types: deb
    # another one
    URIs: http://mirror.example/debian
    Suites: bookworm bookworm-updates
    Components: main
    Signed-By: /usr/share/keyrings/key.gpg

    Types: deb
    URIs: http://mirror.example/debian-security
    Suites: bookworm-security
    Components: main
    """

  @Test("Backports come from the mirror of the release itself, with its key")
  func deb822() throws {
    let sources = AptSource.parse(stanzas, file: "debian.sources")
    #expect(sources.count == 2)
    let backports = try #require(AptSource.backports(of: "bookworm", in: sources))
    #expect(
      backports.deb822 == """
        Types: deb
        URIs: http://mirror.example/debian
        Suites: bookworm-backports
        Components: main
        Signed-By: /usr/share/keyrings/key.gpg

        """)
  }

  @Test("The one-line format is read as well, options included")
  func list() throws {
    let text = """
      # deb http://unused.example/debian bookworm main
      deb-src http://mirror.example/debian bookworm main
      deb [arch=amd64,i386 signed-by=/k.gpg] http://mirror.example/debian bookworm main contrib # x
      """
    let sources = AptSource.parse(text, file: "/etc/apt/sources.list")
    #expect(sources.count == 2)
    let backports = try #require(AptSource.backports(of: "bookworm", in: sources))
    #expect(
      backports.deb822 == """
        Types: deb
        URIs: http://mirror.example/debian
        Suites: bookworm-backports
        Components: main
        Architectures: amd64 i386
        Signed-By: /k.gpg

        """)
  }

  @Test("A key inside the file is kept whole")
  func embeddedKey() throws {
    let text = stanzas.replacing(
      "Signed-By: /usr/share/keyrings/key.gpg",
      with: "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mDME")
    let source = AptSource.backports(of: "bookworm", in: AptSource.parse(text, file: "a.sources"))
    let written = try #require(source).deb822
    #expect(written.hasSuffix("Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mDME\n"))
    #expect(AptSource.parse(written, file: "b.sources") == [try #require(source)])
  }

  @Test("What is written is recognised the next time")
  func idempotent() throws {
    let sources = AptSource.parse(stanzas, file: "debian.sources")
    let backports = try #require(AptSource.backports(of: "bookworm", in: sources))
    let again = AptSource.parse(backports.deb822, file: "apus-backports.sources")
    #expect(again.contains { $0.offers(suite: "bookworm-backports") })
    #expect(!sources.contains { $0.offers(suite: "bookworm-backports") })
  }

  @Test("No mirror is made up: not from another release, a disabled source, or sources alone")
  func nothing() {
    let disabled = "Enabled: no\n" + stanzas
    for (text, file) in [
      ("", "a.sources"), (stanzas, "a.save"), (disabled, "a.sources"),
      ("deb http://mirror.example/debian trixie main", "a.list"),
      ("deb-src http://mirror.example/debian bookworm main", "a.list"),
      ("deb http://mirror.example/debian bookworm contrib", "a.list"),
    ] {
      #expect(AptSource.backports(of: "bookworm", in: AptSource.parse(text, file: file)) == nil)
    }
  }
}
