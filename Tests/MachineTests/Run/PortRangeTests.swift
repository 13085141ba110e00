// SPDX-License-Identifier: Apache-2.0
import KVM
import SystemPackage
import Testing

@testable import Machine

@Suite("Ports that are passed to the guest")
struct PortRangeTests {
  @Test(
    "are written as one number or two, hexadecimal or decimal",
    arguments: [
      ("0x3e8-0x3ef", 0x3e8...0x3ef), ("0x80", 0x80...0x80), ("0X2F8-767", 0x2f8...0x2ff),
      ("0-0xfffe", 0...0xfffe),
    ] as [(String, ClosedRange<UInt16>)])
  func parsed(text: String, ports: ClosedRange<UInt16>) {
    #expect(PortRange(text)?.ports == ports)
  }

  @Test(
    "are nothing else",
    arguments: [
      "", "-", "0x", "0x3e8-", "-5", "+5", "3e8", "0x3ef-0x3e8", "0x10000", "1-2-3", "0x+3",
      "0-0xffff",
      " 1",
    ])
  func refused(text: String) { #expect(PortRange(text) == nil) }

  @Test("are shown as they are written on the command line")
  func shown() {
    #expect(PortRange("1000-1007").map { "\($0)" } == "0x3e8-0x3ef")
    #expect(PortRange("128").map { "\($0)" } == "0x80")
  }

  @Test("take the place of a device, the whole of it")
  func devices() throws {
    var bus = DeviceBus()
    bus.keepFree([try #require(PortRange("0x3ff-0x400"))])
    bus.attach(EmptyDevice(), at: 0x3f8, count: 8)
    bus.attach(EmptyDevice(), at: 0x2f8, count: 8)
    #expect(!bus.holds(0x3f8))
    #expect(bus.holds(0x2f8))
  }

  @Test("that the device refuses are named, with what to do")
  func meaning() throws {
    let ports = try #require(PortRange("0x3e8-0x3ef"))
    let refused = RefusedCall(
      device: "/dev/apus", memorySize: 0, ports: ports, host: HostFiles(root: "/none"))
    func meaning(_ errno: Errno) -> SetupError {
      refused.meaning(of: KVMError(call: "KVM_APUS_PASS_PORTS", errno: errno))
    }
    // EPERM, EBUSY, EINVAL and, of an old driver, ENOTTY.
    #expect(meaning(Errno(rawValue: 1)) == .portsNotPermitted(ports))
    #expect(meaning(Errno(rawValue: 16)) == .portsInUse(ports))
    #expect(meaning(Errno(rawValue: 22)) == .portsRefused(ports))
    #expect(
      meaning(Errno(rawValue: 25))
        == .call(
          KVMError(
            call: "KVM_APUS_PASS_PORTS", errno: Errno(rawValue: 25))))
    #expect("\(meaning(Errno(rawValue: 16)))".contains("0x3e8-0x3ef"))
  }
}
