// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Lab

@Suite struct DebianSetupTests {
  @Test("bookworm's own QEMU is too old, that of its backports is not")
  func versions() {
    #expect(!DebianSetup.isNewEnough(nil))
    #expect(!DebianSetup.isNewEnough("1:7.2+dfsg-7+deb12u13"))
    #expect(DebianSetup.isNewEnough("1:10.0.2+ds-2+deb13u1~bpo12+1"))
    #expect(DebianSetup.isNewEnough("9.2.0"))
  }

  @Test("A removed package whose configuration is left does not count as installed")
  func status() {
    let text = "gcc installed 4:12.2.0-3\nkmod config-files 30\nmake not-installed \n"
    #expect(DebianSetup.installed(text) == ["gcc": "4:12.2.0-3"])
  }

  @Test("The release's name is read with and without quotation marks")
  func codename() throws {
    #expect(
      try DebianSetup.codename(osRelease: "ID=debian\nVERSION_CODENAME=bookworm\n") == "bookworm")
    #expect(try DebianSetup.codename(osRelease: "VERSION_CODENAME=\"trixie\"\n") == "trixie")
    #expect(throws: LabError.self) { try DebianSetup.codename(osRelease: "ID=x\n") }
  }

  @Test("Headers of 6.1 and the metapackage are not those of a newer kernel")
  func newerHeaders() {
    let old = ["linux-headers-cloud-amd64", "linux-headers-6.1.0-56-cloud-amd64"]
    #expect(!DebianSetup.hasNewerHeaders(old))
    #expect(!DebianSetup.hasNewerHeaders(old + ["linux-headers-6.12.95+deb12-common"]))
    #expect(DebianSetup.hasNewerHeaders(old + ["linux-headers-6.12.95+deb12-cloud-amd64"]))
  }

  @Test("Of several newer headers, the last are taken")
  func newestHeaders() {
    let packages = [
      "linux-headers-6.12.95+deb12-cloud-amd64", "linux-headers-6.12.90+deb12-cloud-amd64",
      "linux-headers-6.1.0-56-cloud-amd64",
    ]
    #expect(DebianSetup.newerHeaders(among: packages) == packages[0])
  }

  @Test("The kernel unpacked is the one that the headers are for")
  func release() throws {
    let text = "linux-headers-6.1.0-56-cloud-amd64 (= 6.1.192-2)"
    let found = try KernelPackage.release(inDependency: text, of: "x")
    #expect(found.release == "6.1.0-56-cloud-amd64")
    #expect(found.version == "6.1.192-2")
    #expect(throws: LabError.self) { try KernelPackage.release(inDependency: "gcc-12", of: "x") }
  }
}
