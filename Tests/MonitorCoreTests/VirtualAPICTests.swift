// SPDX-License-Identifier: Apache-2.0
import Testing
import X86

@testable import MonitorCore

@Suite("Whom an interrupt command addresses")
struct VirtualAPICTests {
  /// As the guest has set it up: xAPIC or x2APIC, and the xAPIC's logical addressing.
  static func apic(
    _ id: UInt32, x2APIC: Bool = false, logical: UInt32 = 0, format: UInt32 = 0xffff_ffff
  ) -> VirtualAPIC {
    var apic = VirtualAPIC(id: id, bootstrap: id == 0)
    if x2APIC { apic.base = APICBase(rawValue: 0xfee0_0c00) }
    apic.logicalDestination = logical << 24
    apic.destinationFormat = format
    return apic
  }

  /// Bit 11 logical, 18 and 19 shorthand, 32 up the destination.
  static func command(_ destination: UInt32, logical: Bool = false, shorthand: UInt64 = 0)
    -> InterruptCommand
  {
    InterruptCommand(
      rawValue: UInt64(destination) << 32 | shorthand << 18 | (logical ? 1 << 11 : 0) | 0x41)
  }

  @Test("A physical destination is an APIC's ID, or the broadcast of the mode in force")
  func physical() {
    #expect(Self.apic(3).address.matches(Self.command(3), from: 0))
    #expect(!Self.apic(3).address.matches(Self.command(2), from: 0))
    #expect(Self.apic(3).address.matches(Self.command(0xff), from: 0))
    #expect(!Self.apic(3, x2APIC: true).address.matches(Self.command(0xff), from: 0))
    #expect(Self.apic(3, x2APIC: true).address.matches(Self.command(0xffff_ffff), from: 0))
    #expect(!Self.apic(3).address.matches(Self.command(0x103), from: 0))
  }

  @Test("A shorthand goes by who sends")
  func shorthands() {
    let apics = [Self.apic(0), Self.apic(1), Self.apic(2)]
    func targets(_ shorthand: UInt64) -> [Bool] {
      apics.map { $0.address.matches(Self.command(9, shorthand: shorthand), from: 1) }
    }
    #expect(targets(1) == [false, true, false])
    #expect(targets(2) == [true, true, true])
    #expect(targets(3) == [true, false, true])
  }

  @Test("The flat model matches any common bit of eight")
  func flat() {
    #expect(Self.apic(1, logical: 0b10).address.matches(Self.command(0b11, logical: true), from: 0))
    #expect(
      !Self.apic(2, logical: 0b100).address.matches(Self.command(0b11, logical: true), from: 0))
    #expect(
      Self.apic(2, logical: 0b100).address.matches(Self.command(0xff, logical: true), from: 0))
    #expect(!Self.apic(2).address.matches(Self.command(0xff, logical: true), from: 0))
  }

  @Test("The cluster model matches the cluster and a bit of four")
  func cluster() {
    let apic = Self.apic(5, logical: 0x12, format: 0x0fff_ffff)
    #expect(apic.address.matches(Self.command(0x13, logical: true), from: 0))
    #expect(!apic.address.matches(Self.command(0x11, logical: true), from: 0))
    #expect(!apic.address.matches(Self.command(0x22, logical: true), from: 0))
  }

  @Test("In x2APIC mode cluster and bit follow from the ID")
  func x2APICLogical() {
    let apic = Self.apic(0x25, x2APIC: true)
    #expect(apic.address.x2APICLogicalID == 0x2_0020)
    #expect(apic.address.matches(Self.command(0x2_0030, logical: true), from: 0))
    #expect(!apic.address.matches(Self.command(0x2_0010, logical: true), from: 0))
    #expect(!apic.address.matches(Self.command(0x1_0020, logical: true), from: 0))
  }

  @Test("In x2APIC mode all ones is a broadcast, logical as well")
  func x2APICBroadcast() {
    #expect(Self.apic(3, x2APIC: true).address.matches(Self.command(.max, logical: true), from: 0))
  }

  @Test("The PICs are heard through an open LINT0 in ExtINT mode, or where the APIC is off")
  func external() {
    var apic = Self.apic(0)
    #expect(!apic.acceptsExternal)
    apic.lint0 = 0x700
    #expect(apic.acceptsExternal)
    apic.lint0 = 0x1_0700
    #expect(!apic.acceptsExternal)
    apic.lint0 = 0x031
    #expect(!apic.acceptsExternal)
    apic.base = APICBase(rawValue: 0xfee0_0000)
    #expect(apic.acceptsExternal)
  }
}
