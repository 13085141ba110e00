// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Machine

@Suite("What devices a guest is to have")
struct VirtualDeviceTests {
  @Test("a disk is a file, and perhaps one to read only")
  func disks() throws {
    let disk = try #require(VirtualDevice.Disk("a,b.raw"))
    #expect(disk.path == "a,b.raw")
    #expect(!disk.isReadOnly)
    let other = try #require(VirtualDevice.Disk("/x/disk,readonly"))
    #expect(other.path == "/x/disk")
    #expect(other.isReadOnly)
    #expect(VirtualDevice.Disk("") == nil)
    #expect(VirtualDevice.Disk(",readonly") == nil)
  }

  @Test("an address for sockets is a number that has no other meaning")
  func contextIdentifiers() {
    #expect(VirtualDevice.ContextIdentifier("3")?.number == 3)
    #expect(VirtualDevice.ContextIdentifier("4294967294")?.number == 4_294_967_294)
    for text in ["", "0", "2", "4294967295", "4294967296", "-5", "+5", "3x", " 3"] {
      #expect(VirtualDevice.ContextIdentifier(text) == nil, "\(text)")
    }
  }

  @Test("a network card's address is its interface's own, and of the kind that anybody may choose")
  func addresses() {
    let one = NetworkDevice.address(for: "tap0")
    #expect(one.count == 6)
    #expect(one[0] & 0x03 == 0x02)
    #expect(one == NetworkDevice.address(for: "tap0"))
    #expect(one != NetworkDevice.address(for: "tap1"))
  }

  @Test("random bytes fill what there is to fill, and no more than a page at a time")
  func entropy() throws {
    let driver = PretendedDriver()
    let buffer = try #require(driver.memory.bytes(at: 0x8000, size: 0x2000))
    let chain = VirtQueue.Chain(head: 0, writable: [buffer])
    #expect(EntropyRequests().serve(chain, features: 0) == 4096)
    #expect(Set(buffer.prefix(4096)).count > 200)
    #expect(buffer.dropFirst(4096).allSatisfy { $0 == 0 })
    let small = VirtQueue.Chain(
      head: 0, writable: [.init(rebasing: buffer[0..<3]), .init(rebasing: buffer[10..<15])])
    #expect(EntropyRequests().serve(small, features: 0) == 8)
  }
}
