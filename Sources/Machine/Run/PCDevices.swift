// SPDX-License-Identifier: Apache-2.0
import Glibc

/// The devices of every guest, in the places where a PC has them.
struct PCDevices {
  let buses: Buses
  /// The first serial port.
  let console: UART
  /// What the guest wrote to it.
  let consoleLog = ConsoleLog()
  let terminal: ConsoleTerminal?
  /// What the guest says on the second serial port.
  let channel: ReportChannel
  let power: PowerManagement
  let clock = RunClock()
  /// Counts no exits until it is attached to vCPUs.
  let meter = ExitMeter()

  /// `virtual` are those beside a PC's own.
  init(
    _ configuration: GuestConfiguration, virtual: VirtualDevices, lines: InterruptLines,
    control: RunControl
  ) {
    channel = ReportChannel { [clock, meter] in
      Snapshot(time: clock.elapsed, exits: meter.exits)
    }
    terminal = configuration.console ? ConsoleTerminal(control: control) : nil
    console = UART(
      transmit: { [consoleLog, terminal] byte in
        // The terminal may be slow.
        consoleLog.append(CollectionOfOne(byte))
        terminal?.write(byte)
      },
      interrupt: { lines.set(InterruptNumber.firstSerial, high: $0) })
    power = PowerManagement(
      interrupt: { lines.set(InterruptNumber.systemControl, high: $0) },
      powerOff: { control.finish(.poweredOff) })
    let report = UART(
      transmit: { [channel] in channel.receive($0) },
      interrupt: { lines.set(InterruptNumber.secondSerial, high: $0) },
      otherUse: { [channel] in channel.use() })
    var ports = DeviceBus()
    // There the guest finds the machine's own devices.
    ports.keepFree(configuration.ports)
    ports.attach(console, at: UInt64(Port.firstSerial), count: 8)
    ports.attach(report, at: UInt64(Port.secondSerial), count: 8)
    ports.attach(EmptyDevice(), at: UInt64(Port.keyboard), count: 1)
    ports.attach(
      KeyboardController { control.finish(.reset) }, at: UInt64(Port.keyboardCommand), count: 1)
    ports.attach(RealTimeClock { time(nil) }, at: UInt64(Port.clock), count: 2)
    ports.attach(EmptyDevice(), at: UInt64(Port.post), count: 1)
    let reset = ResetControl { control.finish(.reset) }
    if virtual.functions.isEmpty {
      ports.attach(EmptyDevice(), at: UInt64(Port.pciConfiguration), count: 1)
      ports.attach(reset, at: UInt64(Port.reset), count: 1)
    } else {
      ports.attach(
        PCIConfigurationPorts(virtual.functions, reset: reset), at: UInt64(Port.pciConfiguration),
        count: PCIConfigurationPorts.count)
    }
    ports.attach(power, at: UInt64(Port.powerManagementEvent), count: 6)
    ports.attach(
      PowerManagementTimer { Self.nanoseconds() }, at: UInt64(Port.powerManagementTimer),
      count: 4)
    var memory = DeviceBus()
    virtual.attach(to: &memory)
    buses = Buses(ports: ports, memory: memory)
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
