// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Devices

@Suite("Lines of both controllers")
struct InterruptControllerTests {
  @Test("A line that fell and rose between two looks has made an edge")
  func pulseBetweenLooks() {
    var controllers = InterruptController()
    // ICW1 to ICW4: vectors from 0x30, no slave asked for; then line 4 is let in.
    for (port, value) in [(0x20, 0x11), (0x21, 0x30), (0x21, 4), (0x21, 1), (0x21, 0xef)] {
      _ = controllers.writePIC(port: UInt16(port), UInt8(value))
    }
    controllers.take(edges: 1 << 4, levels: 1 << 4)
    #expect(controllers.pic.requestsInterrupt)
    #expect(controllers.pic.acknowledge() == 0x34)
    _ = controllers.writePIC(port: 0x20, 0x20)
    #expect(!controllers.pic.requestsInterrupt)
    controllers.take(edges: 1 << 4, levels: 1 << 4)
    #expect(controllers.pic.requestsInterrupt)
  }

  @Test("A level that stays makes no edge")
  func steadyLevel() {
    var controllers = InterruptController()
    for (port, value) in [(0x20, 0x11), (0x21, 0x30), (0x21, 4), (0x21, 1), (0x21, 0xef)] {
      _ = controllers.writePIC(port: UInt16(port), UInt8(value))
    }
    controllers.take(edges: 1 << 4, levels: 1 << 4)
    _ = controllers.pic.acknowledge()
    _ = controllers.writePIC(port: 0x20, 0x20)
    controllers.take(edges: 0, levels: 1 << 4)
    #expect(!controllers.pic.requestsInterrupt)
  }
}
