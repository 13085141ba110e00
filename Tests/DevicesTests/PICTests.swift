// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing

@testable import Devices

@Suite("The pair of 8259A interrupt controllers")
struct PICTests {
  /// As a PC's software does it: vectors 0x20 and 0x28, an EOI for each interrupt.
  static func initialised(masterICW4: UInt8 = 0x01) -> PIC {
    var pic = PIC()
    for (port, value) in [
      (0x20, 0x11), (0x21, 0x20), (0x21, 0x04), (0x21, masterICW4),
      (0xa0, 0x11), (0xa1, 0x28), (0xa1, 0x02), (0xa1, 0x01),
    ] as [(UInt16, UInt8)] {
      pic.write(port: port, value)
    }
    return pic
  }

  static func readRegister(_ pic: inout PIC, _ port: UInt16, _ command: UInt8) -> UInt8 {
    pic.write(port: port, command)
    return pic.read(port: port)
  }

  @Test("A rising edge is requested once, with the vector of ICW2, until it is acknowledged")
  func edge() {
    var pic = Self.initialised()
    pic.setLine(4, true)
    #expect(pic.requestsInterrupt)
    #expect(pic.acknowledge() == 0x24)
    #expect(!pic.requestsInterrupt)
    pic.write(port: 0x20, 0x20)
    #expect(!pic.requestsInterrupt, "the line is high still: no new edge")
    pic.setLine(4, false)
    pic.setLine(4, true)
    #expect(pic.acknowledge() == 0x24)
  }

  @Test("A pulse is latched, also while its input is masked")
  func pulse() {
    var pic = Self.initialised()
    pic.write(port: 0x21, 0x01)
    pic.setLine(0, true)
    pic.setLine(0, false)
    #expect(!pic.requestsInterrupt)
    #expect(Self.readRegister(&pic, 0x20, 0x0a) == 0x01)
    pic.write(port: 0x21, 0x00)
    #expect(pic.acknowledge() == 0x20)
    #expect(Self.readRegister(&pic, 0x20, 0x0a) == 0x00)
    #expect(Self.readRegister(&pic, 0x20, 0x0b) == 0x01)
  }

  @Test("A level is requested again after the EOI while its line is high, and not when it is low")
  func level() {
    var pic = Self.initialised()
    pic.write(port: 0x4d1, 0xff)
    #expect(pic.read(port: 0x4d1) == 0xde)
    pic.write(port: 0x4d0, 0xff)
    #expect(pic.read(port: 0x4d0) == 0xf8)
    pic.setLine(11, true)
    #expect(pic.acknowledge() == 0x2b)
    #expect(!pic.requestsInterrupt)
    pic.write(port: 0xa0, 0x20)
    pic.write(port: 0x20, 0x20)
    #expect(pic.requestsInterrupt)
    pic.setLine(11, false)
    #expect(!pic.requestsInterrupt)
  }

  @Test("A higher input interrupts a lower one in service, and not the other way round")
  func nesting() {
    var pic = Self.initialised()
    pic.setLine(5, true)
    #expect(pic.acknowledge() == 0x25)
    pic.setLine(6, true)
    #expect(!pic.requestsInterrupt)
    pic.setLine(1, true)
    #expect(pic.acknowledge() == 0x21)
    #expect(Self.readRegister(&pic, 0x20, 0x0b) == 0x22)
    pic.write(port: 0x20, 0x20)
    #expect(Self.readRegister(&pic, 0x20, 0x0b) == 0x20)
    #expect(!pic.requestsInterrupt)
    pic.write(port: 0x20, 0x65)
    #expect(pic.acknowledge() == 0x26)
  }

  @Test("The slave's inputs rank between 1 and 3 of the master, and mark its input 2 in service")
  func cascade() {
    var pic = Self.initialised()
    pic.setLine(3, true)
    pic.setLine(14, true)
    pic.setLine(8, true)
    #expect(pic.acknowledge() == 0x28)
    #expect(Self.readRegister(&pic, 0x20, 0x0b) == 0x04)
    #expect(Self.readRegister(&pic, 0xa0, 0x0b) == 0x01)
    pic.write(port: 0xa0, 0x20)
    pic.write(port: 0x20, 0x20)
    #expect(pic.acknowledge() == 0x2e)
    pic.write(port: 0xa0, 0x20)
    pic.write(port: 0x20, 0x20)
    #expect(pic.acknowledge() == 0x23)
  }

  @Test("An acknowledge without a request is spurious: IRQ 7, and nothing is in service")
  func spurious() {
    var pic = Self.initialised()
    #expect(pic.acknowledge() == 0x27)
    pic.write(port: 0x4d1, 0x08)
    pic.setLine(11, true)
    pic.setLine(11, false)
    #expect(pic.acknowledge() == 0x27)
    #expect(Self.readRegister(&pic, 0x20, 0x0b) == 0)
    #expect(Self.readRegister(&pic, 0xa0, 0x0b) == 0)
  }

  @Test("Automatic EOI leaves nothing in service; with rotation the served input becomes lowest")
  func automaticEOI() {
    var pic = Self.initialised(masterICW4: 0x03)
    pic.write(port: 0x20, 0x80)
    pic.setLine(0, true)
    pic.setLine(1, true)
    #expect(pic.acknowledge() == 0x20)
    #expect(Self.readRegister(&pic, 0x20, 0x0b) == 0)
    pic.setLine(0, false)
    pic.setLine(0, true)
    #expect(pic.acknowledge() == 0x21)
    #expect(pic.acknowledge() == 0x20)
  }

  @Test("Rotation and the set priority command move the lowest input")
  func rotation() {
    var pic = Self.initialised()
    pic.write(port: 0x20, 0xc4)  // 4 is lowest, 5 is highest
    pic.setLine(0, true)
    pic.setLine(5, true)
    #expect(pic.acknowledge() == 0x25)
    pic.write(port: 0x20, 0xa0)  // rotate on non-specific EOI: 5 is lowest
    pic.setLine(5, false)
    pic.setLine(5, true)
    #expect(pic.acknowledge() == 0x20)
    pic.write(port: 0x20, 0xe0)  // rotate on specific EOI of 0
    #expect(Self.readRegister(&pic, 0x20, 0x0b) == 0)
    pic.setLine(1, true)
    #expect(pic.acknowledge() == 0x21)
  }

  @Test("In special mask mode a masked input in service holds nothing back")
  func specialMask() {
    var pic = Self.initialised()
    pic.setLine(1, true)
    #expect(pic.acknowledge() == 0x21)
    pic.setLine(4, true)
    #expect(!pic.requestsInterrupt)
    pic.write(port: 0x21, 0x02)
    pic.write(port: 0x20, 0x68)
    #expect(pic.acknowledge() == 0x24)
    pic.write(port: 0x20, 0x20)
    #expect(Self.readRegister(&pic, 0x20, 0x0b) == 0x02, "a non-specific EOI spares masked ones")
    pic.write(port: 0x20, 0x48)
    pic.write(port: 0x20, 0x20)
    #expect(Self.readRegister(&pic, 0x20, 0x0b) == 0x00)
  }

  @Test("In special fully nested mode the slave may interrupt itself")
  func specialFullyNested() {
    var pic = Self.initialised(masterICW4: 0x11)
    pic.setLine(12, true)
    #expect(pic.acknowledge() == 0x2c)
    pic.setLine(9, true)
    #expect(pic.acknowledge() == 0x29)
    pic.setLine(5, true)
    #expect(!pic.requestsInterrupt)
    var plain = Self.initialised()
    plain.setLine(12, true)
    _ = plain.acknowledge()
    plain.setLine(9, true)
    #expect(!plain.requestsInterrupt)
  }

  @Test("A poll acknowledges and says which input, 0 if there is none")
  func poll() {
    var pic = Self.initialised()
    #expect(Self.readRegister(&pic, 0x20, 0x0c) == 0)
    pic.setLine(6, true)
    #expect(Self.readRegister(&pic, 0x20, 0x0c) == 0x86)
    #expect(pic.read(port: 0x20) == 0x00, "only the next read is a poll")
    pic.setLine(15, true)
    #expect(Self.readRegister(&pic, 0xa0, 0x0e) == 0x87)
    #expect(!pic.requestsInterrupt)
  }

  @Test("Initialisation takes away requests, masks and service; none is made before it is complete")
  func initialisation() {
    var pic = Self.initialised()
    pic.write(port: 0x21, 0xfb)
    #expect(pic.read(port: 0x21) == 0xfb)
    pic.setLine(1, true)
    pic.write(port: 0x20, 0x11)
    #expect(pic.read(port: 0x21) == 0)
    pic.setLine(3, true)
    #expect(!pic.requestsInterrupt)
    pic.write(port: 0x21, 0x37)
    pic.write(port: 0x21, 0x04)
    pic.write(port: 0x21, 0x01)
    #expect(pic.acknowledge() == 0x33, "input 1 had its edge before, 0x37 loses its low bits")
  }

  @Test("A request that is withdrawn at the slave is withdrawn at the master")
  func withdrawal() {
    var pic = Self.initialised()
    pic.setLine(8, true)
    #expect(pic.requestsInterrupt)
    pic.write(port: 0xa1, 0x01)
    #expect(!pic.requestsInterrupt)
    pic.write(port: 0xa1, 0x00)
    #expect(pic.acknowledge() == 0x28)
  }

  @Test("Lines and ports that do not exist are ignored")
  func outside() {
    var pic = Self.initialised()
    for line in [-1, 2, 16, Int.max, Int.min] { pic.setLine(line, true) }
    pic.write(port: 0x22, 0xff)
    #expect(!pic.requestsInterrupt)
    #expect(pic.read(port: 0x22) == 0xff)
  }

  @Test("The state goes through kvm_pic_state and back")
  func state() {
    var pic = Self.initialised()
    pic.write(port: 0x4d1, 0x0c)
    pic.write(port: 0x21, 0x40)
    pic.setLine(10, true)
    pic.setLine(4, true)
    _ = pic.acknowledge()
    let (master, slave) = (pic.masterState, pic.slaveState)
    #expect(master.irq_base == 0x20 && slave.irq_base == 0x28)
    #expect(master.imr == 0x40 && master.isr == 0x04 && master.irr == 0x10)
    #expect(slave.elcr == 0x0c && slave.elcr_mask == 0xde && slave.isr == 0x04)
    #expect(master.last_irr == 0x10 && slave.irr == 0x04)
    var copy = PIC()
    copy.masterState = master
    copy.slaveState = slave
    copy.write(port: 0xa0, 0x20)
    copy.write(port: 0x20, 0x20)
    #expect(copy.acknowledge() == 0x2a)
  }

  @Test("No sequence of writes, lines and acknowledges stops it")
  func anything() {
    var random = SystemRandomNumberGenerator()
    var pic = PIC()
    let ports: [UInt16] = [0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1]
    for _ in 0..<200_000 {
      let bits = random.next()
      let port = ports[Int(bits >> 32 & 0xffff) % 6]
      switch bits >> 56 & 3 {
      case 0: pic.write(port: port, UInt8(truncatingIfNeeded: bits))
      case 1: _ = pic.read(port: port)
      case 2: pic.setLine(Int(bits >> 8 & 31), bits & 1 != 0)
      default: if pic.requestsInterrupt { _ = pic.acknowledge() }
      }
    }
  }
}
