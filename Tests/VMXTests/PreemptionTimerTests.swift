// SPDX-License-Identifier: Apache-2.0
import MonitorCore
import Testing

@testable import VMX

@Suite("The VMX-preemption timer")
struct PreemptionTimerTests {
  @Test(
    "Never ends the guest's run before the deadline",
    arguments: [
      (100, 100, 0, 0), (100, 200, 0, 0), (1000, 0, 0, 1000), (1 << 40, 0, 0, .max),
      (32, 0, 5, 2), (33, 0, 5, 3), (1, 0, 5, 2), (3200, 0, 5, 101), (1 << 36, 0, 5, 1 << 31 + 1),
      (.max, 0, 5, .max),
    ] as [(UInt64, UInt64, UInt8, UInt32)])
  func value(deadline: UInt64, now: UInt64, shift: UInt8, value: UInt32) {
    #expect(PreemptionTimer.value(until: deadline, now: now, shift: shift) == value)
  }

  @Test("Is not used on processors where it is known to be wrong")
  func broken() throws {
    // Bits 14, 15 and 28 to 31 are reserved.
    for signature in [0x206e6, 0x106a5, 0x306a8, 0xf003_c6a8] as [UInt32] {
      #expect(PreemptionTimer.isBroken(signature: signature))
    }
    var msrs = CapabilityMSRs.ivyBridge
    msrs.signature = 0x306a8
    #expect(try !msrs.capabilities.hasPreemptionTimer)
    #expect(!PreemptionTimer.isBroken(signature: 0x306a9))
  }

  @Test("Its control is off until a deadline is set, and then stays on")
  func control() throws {
    let guest = try PretendedGuest()
    #expect(guest.unit.hasTimer)
    #expect(guest[0x4000] & 1 << 6 == 0)
    #expect(guest.exit([0x4402: 10]) == .cpuid)
    #expect(guest[0x482e] == 0, "not even written")
    guest.unit.deadline = 5000
    guest.instructions.now = 2000
    #expect(guest[0x4000] & 1 << 6 != 0)
    #expect(guest.exit([0x4402: 52]) == .preemptionTimer)
    #expect(guest[0x482e] == 3000)
    #expect(guest.unit.deadline == 5000)
    guest.unit.deadline = nil
    _ = guest.exit([0x4402: 10])
    #expect(guest[0x482e] == 0xffff_ffff)
    #expect(guest[0x4000] & 1 << 6 != 0)
  }
}
