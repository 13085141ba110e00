// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The devices of every guest, in the places where a PC has them.
enum PCDevices {
  /// `passed`: where the guest finds the machine's own devices instead.
  static func buses(
    console: UART, channel: ReportChannel, power: PowerManagement, lines: InterruptLines,
    control: RunControl, passed: [PortRange]
  ) -> Buses {
    let report = UART(
      transmit: { channel.receive($0) },
      interrupt: { lines.set(InterruptNumber.secondSerial, high: $0) },
      otherUse: { channel.use() })
    var ports = DeviceBus()
    ports.keepFree(passed)
    ports.attach(console, at: UInt64(Port.firstSerial), count: 8)
    ports.attach(report, at: UInt64(Port.secondSerial), count: 8)
    ports.attach(EmptyDevice(), at: UInt64(Port.keyboard), count: 1)
    ports.attach(
      KeyboardController { control.finish(.reset) }, at: UInt64(Port.keyboardCommand), count: 1)
    ports.attach(RealTimeClock { time(nil) }, at: UInt64(Port.clock), count: 2)
    ports.attach(EmptyDevice(), at: UInt64(Port.post), count: 1)
    ports.attach(EmptyDevice(), at: UInt64(Port.pciConfiguration), count: 1)
    ports.attach(ResetControl { control.finish(.reset) }, at: UInt64(Port.reset), count: 1)
    ports.attach(power, at: UInt64(Port.powerManagementEvent), count: 6)
    ports.attach(
      PowerManagementTimer { nanoseconds() }, at: UInt64(Port.powerManagementTimer),
      count: 4)
    return Buses(ports: ports, memory: DeviceBus())
  }

  private static func nanoseconds() -> UInt64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
  }
}

/// The two address spaces of a PC.
struct Buses: Sendable {
  var ports = DeviceBus()
  var memory = DeviceBus()
}
