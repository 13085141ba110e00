// SPDX-License-Identifier: Apache-2.0
import Contract
import Glibc
import KVM
import Logging
import Synchronization

/// A whole guest, from its memory to its end. What it took from the host goes back when it goes.
public final class GuestMachine: Sendable {
  // In this order they are destroyed: the memory last.
  private let processors: [Processor]
  private let lines: InterruptLines
  private let memory: GuestMemory

  private let control: RunControl
  private let console: UART
  private let terminal: Terminal?
  private let channel: ReportChannel
  private let clock: RunClock
  private let logger: Logger
  /// The device's path, and whether it is Apus.
  public let device: String
  public let isApus: Bool
  private let cpus: [Int]

  /// Everything but the first instruction: devices, memory, kernel, vCPUs.
  public init(_ configuration: GuestConfiguration, logger: Logger) throws(SetupError) {
    EventLoop.blockSignals()
    let system = try SetupError.translating(configuration) { () throws(KVMError) in
      try System(path: configuration.device)
    }
    for (capability, name) in Self.neededCapabilities where system.check(capability) == 0 {
      throw .missingCapability(device: configuration.device, name: name)
    }
    self.logger = logger
    device = configuration.device
    isApus = system.isApus
    cpus = configuration.cpus
    let control = RunControl()
    self.control = control

    let memory = try SetupError.translating(configuration) { () throws(KVMError) in
      try GuestMemory(size: configuration.memorySize)
    }
    let count = max(configuration.cpus.count, 1)
    configuration.loader.load(into: memory, virtualCPUs: count)
    let machine = try SetupError.translating(configuration) { () throws(KVMError) in
      try Self.createMachine(system, memory: memory)
    }
    self.memory = memory
    let lines = InterruptLines(machine, control: control)
    self.lines = lines

    let clock = RunClock()
    self.clock = clock
    let meter = ExitMeter()
    let channel = ReportChannel { Snapshot(time: clock.elapsed, exits: meter.exits) }
    self.channel = channel
    let shown = configuration.console
    let console = UART(
      transmit: { if shown { Terminal.write($0) } },
      interrupt: { lines.set(InterruptNumber.firstSerial, high: $0) })
    self.console = console
    terminal = shown ? Terminal() : nil
    let buses = Self.buses(console: console, channel: channel, lines: lines, control: control)

    let isApus = isApus
    processors = try SetupError.translating(configuration) { () throws(KVMError) in
      var processors: [Processor] = []
      let supported = try system.supportedCPUID()
      let hasDeadlineTimer = system.check(KVM_CAP_TSC_DEADLINE_TIMER) > 0
      for id in 0..<UInt32(count) {
        let virtualCPU = try lines.machine.createVirtualCPU(id: id)
        let cpu = id < configuration.cpus.count ? configuration.cpus[Int(id)] : nil
        if isApus, let cpu { try virtualCPU.setLentCPU(cpu) }
        let cpuid = GuestCPUID(
          virtualCPU: id, virtualCPUs: UInt32(count), hasDeadlineTimer: hasDeadlineTimer)
        try virtualCPU.setCPUID(cpuid.entries(from: supported))
        try Self.setInitialState(
          virtualCPU, entry: configuration.loader.image.entry, isFirst: id == 0, logger: logger)
        processors.append(
          Processor(
            virtualCPU, bus: buses, control: control, isApus: isApus,
            pinnedCPU: isApus ? nil : cpu))
      }
      return processors
    }
    meter.attach(processors)
  }

  private static let neededCapabilities: [(capability: Int32, name: String)] = [
    (KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY"), (KVM_CAP_IRQCHIP, "KVM_CAP_IRQCHIP"),
    (KVM_CAP_PIT2, "KVM_CAP_PIT2"), (KVM_CAP_EXT_CPUID, "KVM_CAP_EXT_CPUID"),
    // The MADT says that line 0 arrives at pin 2: the lines must be routed like that.
    (KVM_CAP_IRQ_ROUTING, "KVM_CAP_IRQ_ROUTING"),
  ]

  private static func createMachine(
    _ system: borrowing System, memory: borrowing GuestMemory
  ) throws(KVMError) -> VirtualMachine {
    let machine = try system.createVirtualMachine()
    if system.check(KVM_CAP_SET_IDENTITY_MAP_ADDR) > 0 {
      try machine.setIdentityMap(address: GuestLayout.identityMap)
    }
    if system.check(KVM_CAP_SET_TSS_ADDR) > 0 {
      try machine.setTaskStateSegment(address: GuestLayout.taskStateSegment)
    }
    try machine.createInterruptControllers()
    try machine.routeInterruptLinesAsPC()
    try machine.createIntervalTimer()
    try memory.attach(to: machine)
    return machine
  }

  private static func buses(
    console: UART, channel: ReportChannel, lines: InterruptLines, control: RunControl
  ) -> Buses {
    let report = UART(
      transmit: { channel.receive($0) },
      interrupt: { lines.set(InterruptNumber.secondSerial, high: $0) })
    var ports = DeviceBus()
    ports.attach(console, at: UInt64(Port.firstSerial), count: 8)
    ports.attach(report, at: UInt64(Port.secondSerial), count: 8)
    ports.attach(EmptyDevice(), at: UInt64(Port.keyboard), count: 1)
    ports.attach(
      KeyboardController { control.finish(.reset) }, at: UInt64(Port.keyboardCommand), count: 1)
    ports.attach(RealTimeClock { time(nil) }, at: UInt64(Port.clock), count: 2)
    ports.attach(EmptyDevice(), at: UInt64(Port.post), count: 1)
    ports.attach(EmptyDevice(), at: UInt64(Port.pciConfiguration), count: 1)
    ports.attach(ResetControl { control.finish(.reset) }, at: UInt64(Port.reset), count: 1)
    ports.attach(
      PowerManagement { control.finish(.poweredOff) }, at: UInt64(Port.powerManagementEvent),
      count: 6)
    return Buses(ports: ports, memory: DeviceBus())
  }

  /// The first vCPU starts at the kernel's entry point, in x2APIC mode if the device lets it;
  /// the others wait for INIT and SIPI as they are.
  private static func setInitialState(
    _ virtualCPU: borrowing VirtualCPU, entry: UInt64, isFirst: Bool, logger: Logger
  ) throws(KVMError) {
    guard isFirst else { return }
    let initial = try virtualCPU.specialRegisters()
    do {
      try virtualCPU.setSpecialRegisters(BootRegisters.special(from: initial, x2APIC: true))
    } catch {
      logger.warning("the guest starts in xAPIC mode: x2APIC was refused (\(error))")
      try virtualCPU.setSpecialRegisters(BootRegisters.special(from: initial, x2APIC: false))
    }
    try virtualCPU.setRegisters(BootRegisters.general(entry: entry))
  }

  /// Runs the guest to its end.
  public func run() -> RunResult {
    terminal?.begin()
    if terminal?.isRaw == true { logger.notice("Ctrl-A x ends the run\r") }
    clock.start()
    let threads = processors.map { processor in Thread { processor.run() } }
    let loop = EventLoop(control: control, terminal: terminal) { [console] in
      console.receive($0)
    }
    let outcome = loop.run()
    let elapsed = clock.elapsed
    control.finish(outcome)
    stop(threads)
    terminal?.end()
    return RunResult(
      device: device, isApus: isApus, outcome: outcome, elapsed: elapsed,
      report: channel.report, virtualCPUs: processors.enumerated().map(result))
  }

  private func stop(_ threads: [Thread]) {
    for processor in processors { processor.virtualCPU.requestExit() }
    for thread in threads { thread.stop() }
  }

  private func result(_ index: Int, _ processor: Processor) -> VirtualCPUResult {
    var result = VirtualCPUResult(id: Int(processor.virtualCPU.id), exits: processor.exits())
    if isApus, let statistics = try? processor.virtualCPU.statistics() {
      result.cpu = Int(statistics.lent_cpu)
      result.timer = statistics.timer_mode == APUS_TIMER_DIRECT.rawValue ? .direct : .emulated
      result.interrupts =
        statistics.apic_mode == APUS_APIC_X2APIC.rawValue ? .direct : .emulated
      result.interruptsSent = statistics.interrupts_sent
      result.apic = .init(mode: statistics.apic_mode)
    } else {
      result.cpu = index < cpus.count ? cpus[index] : nil
      let base = (try? processor.virtualCPU.specialRegisters().apic_base) ?? 0
      result.apic =
        base & BootRegisters.apicEnabled == 0
        ? .disabled : base & BootRegisters.x2APICEnabled != 0 ? .x2APIC : .xAPIC
    }
    return result
  }
}
