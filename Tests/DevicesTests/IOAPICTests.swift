// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing

@testable import Devices

@Suite("The I/O APIC")
struct IOAPICTests {
  static func read(_ ioapic: inout IOAPIC, _ register: UInt32) -> UInt32 {
    ioapic.write(offset: 0x00, register)
    return ioapic.read(offset: 0x10)
  }

  static func write(_ ioapic: inout IOAPIC, _ register: UInt32, _ value: UInt32) {
    ioapic.write(offset: 0x00, register)
    ioapic.write(offset: 0x10, value)
  }

  /// Pin 4: edge, fixed, vector 0x31, APIC 3. Pin 10: level, fixed, vector 0x41, APIC 2.
  static func configured() -> IOAPIC {
    var ioapic = IOAPIC()
    write(&ioapic, 0x19, 0x0300_0000)
    write(&ioapic, 0x18, 0x0000_0031)
    write(&ioapic, 0x25, 0x0200_0000)
    write(&ioapic, 0x24, 0x0000_8041)
    return ioapic
  }

  @Test("After a reset it is version 0x11 with 24 masked pins")
  func reset() {
    var ioapic = IOAPIC()
    #expect(Self.read(&ioapic, 0x00) == 0)
    #expect(Self.read(&ioapic, 0x01) == 0x0017_0011)
    for pin in 0..<24 as Range<UInt32> {
      #expect(Self.read(&ioapic, 0x10 + 2 * pin) == 0x0001_0000)
      #expect(Self.read(&ioapic, 0x11 + 2 * pin) == 0)
      #expect(ioapic.route(pin: Int(pin)) == .masked)
    }
  }

  @Test("The identification register keeps bits 27 to 24, and the arbitration register follows")
  func identification() {
    var ioapic = IOAPIC()
    Self.write(&ioapic, 0x00, 0xffff_ffff)
    #expect(Self.read(&ioapic, 0x00) == 0x0f00_0000)
    #expect(Self.read(&ioapic, 0x02) == 0x0f00_0000)
    Self.write(&ioapic, 0x01, 0)
    #expect(Self.read(&ioapic, 0x01) == 0x0017_0011)
  }

  @Test("Delivery status and remote IRR cannot be written, reserved bits read as 0")
  func entryBits() {
    var ioapic = IOAPIC()
    Self.write(&ioapic, 0x3e, 0xffff_ffff)
    Self.write(&ioapic, 0x3f, 0xffff_ffff)
    #expect(Self.read(&ioapic, 0x3e) == 0x0001_afff)
    #expect(Self.read(&ioapic, 0x3f) == 0xff00_0000)
    #expect(ioapic.read(offset: 0x00) == 0x3f)
    #expect(Self.read(&ioapic, 0x40) == 0xffff_ffff)
    #expect(Self.read(&ioapic, 0x03) == 0xffff_ffff)
  }

  @Test("A rising edge is delivered once")
  func edge() {
    var ioapic = Self.configured()
    ioapic.setLine(4, true)
    #expect(Self.read(&ioapic, 0x18) == 0x0000_1031, "send pending")
    let delivery = ioapic.nextDelivery()
    #expect(
      delivery
        == IOAPICDelivery(
          pin: 4, vector: 0x31, destination: 3, destinationMode: .physical, mode: .fixed,
          trigger: .edge))
    #expect(ioapic.nextDelivery() == nil)
    #expect(Self.read(&ioapic, 0x18) == 0x0000_0031)
    ioapic.setLine(4, true)
    ioapic.setLine(4, false)
    #expect(ioapic.nextDelivery() == nil)
    ioapic.setLine(4, true)
    ioapic.setLine(4, false)
    #expect(ioapic.nextDelivery()?.vector == 0x31)
  }

  @Test("An edge on a masked pin is ignored")
  func maskedEdge() {
    var ioapic = Self.configured()
    Self.write(&ioapic, 0x18, 0x0001_0031)
    ioapic.setLine(4, true)
    Self.write(&ioapic, 0x18, 0x0000_0031)
    #expect(ioapic.nextDelivery() == nil)
  }

  @Test("A level is delivered once until its EOI, and again while it is asserted")
  func level() {
    var ioapic = Self.configured()
    ioapic.setLine(10, true)
    let delivery = ioapic.nextDelivery()
    #expect(delivery?.vector == 0x41 && delivery?.trigger == .level && delivery?.destination == 2)
    #expect(Self.read(&ioapic, 0x24) == 0x0000_c041, "remote IRR")
    #expect(ioapic.isLevelInService)
    #expect(ioapic.nextDelivery() == nil)
    ioapic.endOfInterrupt(vector: 0x31)
    #expect(ioapic.nextDelivery() == nil)
    ioapic.endOfInterrupt(vector: 0x41)
    #expect(ioapic.nextDelivery()?.pin == 10)
    ioapic.setLine(10, false)
    #expect(ioapic.isLevelInService)
    ioapic.endOfInterrupt(vector: 0x41)
    #expect(ioapic.nextDelivery() == nil)
    #expect(!ioapic.isLevelInService)
  }

  @Test("A masked level waits until it is unmasked")
  func maskedLevel() {
    var ioapic = Self.configured()
    Self.write(&ioapic, 0x24, 0x0001_8041)
    ioapic.setLine(10, true)
    #expect(ioapic.nextDelivery() == nil)
    Self.write(&ioapic, 0x24, 0x0000_8041)
    #expect(ioapic.nextDelivery()?.pin == 10)
  }

  @Test("Making a pin edge-triggered for a moment clears its remote IRR")
  func remoteIRR() {
    var ioapic = Self.configured()
    ioapic.setLine(10, true)
    _ = ioapic.nextDelivery()
    Self.write(&ioapic, 0x24, 0x0001_0041)
    Self.write(&ioapic, 0x24, 0x0000_8041)
    #expect(Self.read(&ioapic, 0x24) == 0x0000_9041)
    #expect(ioapic.nextDelivery()?.pin == 10)
  }

  @Test("Only an edge of a fixed or lowest-priority vector can go past the monitor")
  func routes() {
    var ioapic = Self.configured()
    guard case .direct(let direct) = ioapic.route(pin: 4) else {
      Issue.record("pin 4 is not direct")
      return
    }
    #expect(direct.vector == 0x31 && direct.destination == 3)
    #expect(ioapic.route(pin: 10) == .monitor)
    #expect(ioapic.route(pin: 24) == .masked)
    #expect(ioapic.route(pin: -1) == .masked)
    let routed: [(UInt32, Bool)] = [
      (0x0931, true), (0x0131, true), (0x0231, false), (0x0331, false), (0x0431, false),
      (0x0531, false), (0x0731, false), (0x000f, false), (0x0010, true),
    ]
    for (entry, isDirect) in routed {
      Self.write(&ioapic, 0x18, entry)
      let route = ioapic.route(pin: 4)
      if isDirect {
        guard case .direct(let delivery) = route else {
          Issue.record("\(entry) is not direct")
          continue
        }
        #expect(delivery.destinationMode == (entry & 0x800 != 0 ? .logical : .physical))
      } else {
        #expect(route == .monitor)
      }
    }
  }

  @Test("An ExtINT pin is an edge whatever its trigger mode, a reserved mode delivers nothing")
  func otherModes() {
    var ioapic = IOAPIC()
    Self.write(&ioapic, 0x10, 0x0000_8700)
    ioapic.setLine(0, true)
    let delivery = ioapic.nextDelivery()
    #expect(delivery?.mode == .externalInterrupt && delivery?.trigger == .edge)
    #expect(!ioapic.isLevelInService)
    Self.write(&ioapic, 0x12, 0x0000_0330)
    ioapic.setLine(1, true)
    #expect(ioapic.nextDelivery() == nil)
    #expect(Self.read(&ioapic, 0x12) == 0x0000_0330)
  }

  @Test("Lines and offsets that do not exist are ignored")
  func outside() {
    var ioapic = Self.configured()
    for line in [-1, 24, Int.max, Int.min] { ioapic.setLine(line, true) }
    ioapic.write(offset: 0x40, 0x31)
    #expect(ioapic.read(offset: 0x20) == 0)
    #expect(ioapic.nextDelivery() == nil)
  }

  @Test("The state goes through kvm_ioapic_state, whose table starts at byte 24, and back")
  func state() {
    #expect(MemoryLayout<kvm_ioapic_state>.size == 24 + 24 * 8)
    var ioapic = Self.configured()
    Self.write(&ioapic, 0x00, 0x0500_0000)
    ioapic.setLine(10, true)
    _ = ioapic.nextDelivery()
    ioapic.setLine(4, true)
    ioapic.write(offset: 0x00, 0x24)
    let state = ioapic.state
    #expect(state.base_address == 0xfec0_0000 && state.id == 5 && state.ioregsel == 0x24)
    #expect(state.irr == 0x410)
    let entries = withUnsafeBytes(of: state) { bytes in
      [4, 10, 23].map { bytes.load(fromByteOffset: 24 + 8 * $0, as: UInt64.self) }
    }
    #expect(entries == [0x0300_0000_0000_1031, 0x0200_0000_0000_c041, 0x1_0000])
    var copy = IOAPIC()
    copy.state = state
    #expect(copy.read(offset: 0x10) == 0x0000_c041)
    #expect(Self.read(&copy, 0x00) == 0x0500_0000)
    #expect(copy.nextDelivery()?.pin == 4)
    #expect(copy.nextDelivery() == nil)
    copy.endOfInterrupt(vector: 0x41)
    #expect(copy.nextDelivery()?.pin == 10)
  }

  @Test("No sequence of writes, lines and EOIs stops it, and deliveries come to an end")
  func anything() {
    var random = SystemRandomNumberGenerator()
    var ioapic = IOAPIC()
    for _ in 0..<200_000 {
      let bits = random.next()
      switch bits >> 56 & 3 {
      case 0: ioapic.write(offset: bits >> 32 & 0x10, UInt32(truncatingIfNeeded: bits))
      case 1: _ = ioapic.read(offset: bits >> 32)
      case 2: ioapic.setLine(Int(bits >> 8 & 31), bits & 1 != 0)
      default: ioapic.endOfInterrupt(vector: UInt8(truncatingIfNeeded: bits))
      }
      var deliveries = 0
      while ioapic.nextDelivery() != nil { deliveries += 1 }
      #expect(deliveries <= 24)
    }
  }
}
