// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing

@testable import Devices

@Suite("The interval timer")
struct PITTests {
  /// Sets channel 0, 1 or 2 up with a control word and a count of two bytes, at tick 1000. The
  /// count is in the counting element from tick 1001 on.
  static func configured(_ control: UInt8, _ count: UInt16, channel: UInt16 = 0) -> PIT {
    var pit = PIT()
    pit.write(port: 0x61, 0x01, now: 0)
    pit.write(port: 0x43, control, now: 1000)
    pit.write(port: 0x40 + channel, UInt8(truncatingIfNeeded: count), now: 1000)
    pit.write(port: 0x40 + channel, UInt8(count >> 8), now: 1000)
    return pit
  }

  static func count(_ pit: inout PIT, channel: UInt16, now: UInt64) -> UInt16 {
    pit.write(port: 0x43, UInt8(channel << 6), now: now)
    let low = pit.read(port: 0x40 + channel, now: now + 1000)
    return UInt16(low) | UInt16(pit.read(port: 0x40 + channel, now: now + 2000)) << 8
  }

  static func status(_ pit: inout PIT, channel: UInt16, now: UInt64) -> UInt8 {
    pit.write(port: 0x43, 0xe0 | 2 << UInt8(channel), now: now)
    return pit.read(port: 0x40 + channel, now: now)
  }

  static func output(_ pit: inout PIT, now: UInt64) -> Bool {
    pit.read(port: 0x61, now: now) & 0x20 != 0
  }

  @Test("Mode 0 goes high N + 1 ticks after the count was written, and counts on from 0xffff")
  func mode0() {
    var pit = Self.configured(0xb0, 5, channel: 2)
    let expected: [(UInt64, UInt16, Bool)] = [
      (1001, 5, false), (1002, 4, false), (1005, 1, false), (1006, 0, true), (1007, 0xffff, true),
    ]
    for (now, value, output) in expected {
      #expect(Self.count(&pit, channel: 2, now: now) == value)
      #expect(Self.output(&pit, now: now) == output)
    }
  }

  @Test("Mode 0 stands still while its gate is low")
  func mode0Gate() {
    var pit = Self.configured(0xb0, 100, channel: 2)
    pit.write(port: 0x61, 0x00, now: 1011)
    #expect(Self.count(&pit, channel: 2, now: 5000) == 90)
    pit.write(port: 0x61, 0x01, now: 6000)
    #expect(Self.count(&pit, channel: 2, now: 6010) == 80)
    #expect(!Self.output(&pit, now: 6089))
    #expect(Self.output(&pit, now: 6090))
  }

  @Test("In mode 0 the first byte of a new count stops the old one")
  func mode0FirstByte() {
    var pit = Self.configured(0x30, 1000)
    #expect(pit.channel0 == PITTimer(first: 2001, period: 0))
    let changes = pit.channel0Changes
    pit.write(port: 0x40, 0x10, now: 1100)
    #expect(pit.channel0 == nil)
    pit.write(port: 0x40, 0x00, now: 1200)
    #expect(pit.channel0 == PITTimer(first: 1217, period: 0))
    #expect(pit.channel0Changes != changes)
  }

  @Test("Mode 1 is a pulse of N ticks after each rising gate")
  func mode1() {
    var pit = Self.configured(0xb2, 3, channel: 2)
    #expect(Self.output(&pit, now: 2000))
    #expect(Self.status(&pit, channel: 2, now: 2000) == 0xf2, "null count")
    pit.write(port: 0x61, 0x00, now: 2000)
    pit.write(port: 0x61, 0x01, now: 2000)
    #expect(!Self.output(&pit, now: 2001))
    #expect(Self.status(&pit, channel: 2, now: 2001) == 0x32)
    #expect(!Self.output(&pit, now: 2003))
    #expect(Self.output(&pit, now: 2004))
    pit.write(port: 0x61, 0x00, now: 3000)
    pit.write(port: 0x61, 0x01, now: 3000)
    #expect(Self.count(&pit, channel: 2, now: 3001) == 3)
    #expect(!Self.output(&pit, now: 3002))
  }

  @Test("Mode 2 is low for the last tick of each N")
  func mode2() {
    var pit = Self.configured(0xb4, 3, channel: 2)
    let expected: [(UInt64, UInt16, Bool)] = [
      (1001, 3, true), (1002, 2, true), (1003, 1, false), (1004, 3, true), (1006, 1, false),
      (3001, 1, false),
    ]
    for (now, value, output) in expected {
      #expect(Self.count(&pit, channel: 2, now: now) == value)
      #expect(Self.output(&pit, now: now) == output)
    }
    #expect(pit.channel0 == nil)
    #expect(Self.configured(0x34, 3).channel0 == PITTimer(first: 1004, period: 3))
  }

  @Test("In mode 2 a new count takes effect at the end of the period, a rising gate at once")
  func mode2Reload() {
    var pit = Self.configured(0x34, 100)
    pit.write(port: 0x40, 50, now: 1011)
    pit.write(port: 0x40, 0, now: 1011)
    #expect(Self.status(&pit, channel: 0, now: 1012) == 0xf4)
    #expect(Self.count(&pit, channel: 0, now: 1100) == 1)
    #expect(pit.channel0 == PITTimer(first: 1101, period: 50))
    #expect(Self.count(&pit, channel: 0, now: 1101) == 50)
    #expect(Self.status(&pit, channel: 0, now: 1102) == 0xb4)
    #expect(Self.count(&pit, channel: 0, now: 1150) == 1)
    #expect(pit.channel0 == PITTimer(first: 1151, period: 50))

    var gated = Self.configured(0xb4, 100, channel: 2)
    gated.write(port: 0x61, 0, now: 1050)
    #expect(Self.output(&gated, now: 1051))
    gated.write(port: 0x61, 1, now: 2000)
    #expect(Self.count(&gated, channel: 2, now: 2001) == 100)
  }

  @Test("Mode 3 counts by two and is high for the longer half")
  func mode3() {
    var even = Self.configured(0xb6, 4, channel: 2)
    for (now, value, output) in [
      (1001, 4, true), (1002, 2, true), (1003, 4, false), (1004, 2, false), (1005, 4, true),
    ] as [(UInt64, UInt16, Bool)] {
      #expect(Self.count(&even, channel: 2, now: now) == value)
      #expect(Self.output(&even, now: now) == output)
    }
    var odd = Self.configured(0xb6, 5, channel: 2)
    for (now, value, output) in [
      (1001, 4, true), (1002, 2, true), (1003, 0, true), (1004, 4, false), (1005, 2, false),
      (1006, 4, true),
    ] as [(UInt64, UInt16, Bool)] {
      #expect(Self.count(&odd, channel: 2, now: now) == value)
      #expect(Self.output(&odd, now: now) == output)
    }
    #expect(Self.configured(0x36, 0).channel0 == PITTimer(first: 66537, period: 65536))
  }

  @Test("Mode 4 is low for one tick, N + 1 ticks after the count; mode 5 after the gate")
  func strobes() {
    var mode4 = Self.configured(0xb8, 3, channel: 2)
    #expect(Self.output(&mode4, now: 1003))
    #expect(!Self.output(&mode4, now: 1004))
    #expect(Self.output(&mode4, now: 1005))
    #expect(Self.configured(0x38, 3).channel0 == PITTimer(first: 1005, period: 0))
    var mode5 = Self.configured(0xba, 3, channel: 2)
    #expect(Self.output(&mode5, now: 1004))
    mode5.write(port: 0x61, 0, now: 2000)
    mode5.write(port: 0x61, 1, now: 2000)
    #expect(Self.output(&mode5, now: 2003))
    #expect(!Self.output(&mode5, now: 2004))
    #expect(Self.configured(0x3a, 3).channel0 == nil, "channel 0's gate never rises")
  }

  @Test("A BCD counter counts decimal digits, 0 is 10000")
  func bcd() {
    var pit = Self.configured(0xb1, 0x1000, channel: 2)
    #expect(Self.count(&pit, channel: 2, now: 1002) == 0x0999)
    #expect(Self.count(&pit, channel: 2, now: 2001) == 0x0000)
    #expect(Self.count(&pit, channel: 2, now: 2002) == 0x9999)
    #expect(Self.configured(0x35, 0).channel0 == PITTimer(first: 11001, period: 10000))
  }

  @Test("A latched count stays until both bytes were read, a second latch changes nothing")
  func latch() {
    var pit = Self.configured(0x34, 0x1234)
    pit.write(port: 0x43, 0x00, now: 1001)
    pit.write(port: 0x43, 0x00, now: 1100)
    #expect(pit.read(port: 0x40, now: 1101) == 0x34)
    #expect(pit.read(port: 0x40, now: 1102) == 0x12)
    #expect(pit.read(port: 0x40, now: 1101) == 0xd0)
    #expect(pit.read(port: 0x40, now: 1101) == 0x11)
  }

  @Test("Access to one byte reads and writes that byte")
  func singleByte() {
    var pit = PIT()
    pit.write(port: 0x43, 0x24, now: 0)
    pit.write(port: 0x40, 0x10, now: 0)
    #expect(pit.channel0 == PITTimer(first: 1 + 0x1000, period: 0x1000))
    #expect(pit.read(port: 0x40, now: 2) == 0x0f)
    pit.write(port: 0x43, 0x14, now: 0)
    pit.write(port: 0x40, 0x10, now: 0)
    #expect(pit.channel0 == PITTimer(first: 1 + 0x10, period: 0x10))
    pit.write(port: 0x43, 0x00, now: 3)
    #expect(pit.read(port: 0x40, now: 9) == 0x0e)
    #expect(pit.read(port: 0x40, now: 5) == 0x0c)
  }

  @Test("Read-back latches status and count of several channels; the status comes first")
  func readBack() {
    var pit = Self.configured(0x34, 0x1234)
    pit.write(port: 0x43, 0xb6, now: 1000)
    pit.write(port: 0x43, 0xca, now: 1001)
    #expect(pit.read(port: 0x40, now: 2000) == 0xb4)
    #expect(pit.read(port: 0x40, now: 2000) == 0x34)
    #expect(pit.read(port: 0x40, now: 2000) == 0x12)
    #expect(pit.read(port: 0x42, now: 2000) == 0xf6)
    pit.write(port: 0x43, 0x3e, now: 1000)
    #expect(Self.status(&pit, channel: 0, now: 1000) == 0xfe, "the mode as it was written")
  }

  @Test("Port 0x61 has gate and speaker, the refresh bit toggles every 18 ticks")
  func systemControl() {
    var pit = PIT()
    pit.write(port: 0x61, 0xff, now: 0)
    #expect(pit.read(port: 0x61, now: 0) & 0x13 == 0x03)
    #expect(pit.read(port: 0x61, now: 17) & 0x10 == 0x00)
    #expect(pit.read(port: 0x61, now: 18) & 0x10 == 0x10)
    #expect(pit.read(port: 0x61, now: 36) & 0x10 == 0x00)
    #expect(pit.read(port: 0x43, now: 0) == 0xff)
  }

  @Test("A control word stops channel 0 until a count is written")
  func control() {
    var pit = Self.configured(0x34, 1000)
    let changes = pit.channel0Changes
    pit.write(port: 0x43, 0x00, now: 1100)
    pit.write(port: 0x43, 0xc2, now: 1100)
    pit.write(port: 0x42, 0x55, now: 1100)
    #expect(pit.channel0Changes == changes)
    pit.write(port: 0x43, 0x30, now: 1100)
    #expect(pit.channel0 == nil)
    #expect(pit.channel0Changes != changes)
  }

  @Test("The state goes through kvm_pit_state2 and back, the counts start again")
  func state() {
    var pit = Self.configured(0x34, 0)
    pit.write(port: 0x43, 0xb6, now: 1000)
    pit.write(port: 0x42, 0x34, now: 1000)
    pit.write(port: 0x61, 0x03, now: 1000)
    pit.write(port: 0x43, 0xe2, now: 1001)
    let state = pit.state(now: 1_193_182)
    #expect(state.channels.0.count == 65536 && state.channels.0.mode == 2)
    #expect(state.channels.0.rw_mode == 3 && state.channels.0.gate == 1)
    #expect(state.channels.0.status_latched == 1 && state.channels.0.status == 0xb4)
    #expect(state.channels.0.count_load_time == 838933)
    #expect(state.channels.2.write_state == 4 && state.channels.2.write_latch == 0x34)
    #expect(state.flags == 2)
    var copy = PIT()
    copy.setState(state, now: 5000)
    #expect(copy.channel0 == PITTimer(first: 5001 + 65536, period: 65536))
    #expect(copy.channel0Changes == 1)
    #expect(copy.read(port: 0x40, now: 5002) == 0xb4)
    #expect(Self.status(&copy, channel: 2, now: 5000) == 0xf6)
    copy.write(port: 0x42, 0x12, now: 6000)
    #expect(Self.count(&copy, channel: 2, now: 6001) == 0x1234)
  }

  @Test("KVM's own state after a reset arms nothing, its zero count is taken for one")
  func foreignState() {
    var state = kvm_pit_state2()
    state.channels.0.mode = 0xff
    state.channels.0.count = 65536
    var pit = PIT()
    pit.setState(state, now: 0)
    #expect(pit.channel0 == nil)
    state.channels.0.mode = 2
    state.channels.0.count = .max
    pit.setState(state, now: 0)
    #expect(pit.channel0 == PITTimer(first: 65537, period: 65536))
    state.flags = 1
    pit.setState(state, now: 0)
    #expect(pit.channel0 == nil)
  }

  @Test("No sequence of reads and writes at any time stops it")
  func anything() {
    var random = SystemRandomNumberGenerator()
    var pit = PIT()
    let ports: [UInt16] = [0x40, 0x41, 0x42, 0x43, 0x43, 0x61]
    for _ in 0..<200_000 {
      let bits = random.next()
      let now = random.next() >> (bits >> 58)
      let port = ports[Int(bits >> 32 & 0xffff) % 6]
      if bits & 0x100 != 0 {
        pit.write(port: port, UInt8(truncatingIfNeeded: bits), now: now)
      } else {
        _ = pit.read(port: port, now: now)
      }
      _ = pit.channel0
      if bits & 0xfe00 == 0 {
        let state = pit.state(now: now)
        pit.setState(state, now: random.next())
      }
    }
  }
}
