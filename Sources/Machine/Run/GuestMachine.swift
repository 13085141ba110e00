// SPDX-License-Identifier: Apache-2.0
import Contract
import Glibc
import KVM
import Logging
import Synchronization

/// A whole guest, from its memory to its end. What it took from the host goes back when it goes.
public final class GuestMachine: Sendable {
  // vCPUs first: each gives its CPU back. Their threads have ended when this goes.
  let processors: [Processor]
  /// Where writes to the console wait. Has a vCPU too.
  private let collector: WriteCollector?
  private let lines: InterruptLines
  private let memory: GuestMemory

  let control: RunControl
  let console: UART
  let consoleLog = ConsoleLog()
  let power: PowerManagement
  private let terminal: Terminal?
  private let channel: ReportChannel
  let clock: RunClock
  private let logger: Logger
  /// The device's path.
  public let device: String
  public let hypervisor: Hypervisor

  /// Everything but the first instruction: devices, memory, kernel, vCPUs.
  public init(_ configuration: GuestConfiguration, logger: Logger) throws(SetupError) {
    EndSignals.block()
    let refused = RefusedCall(
      device: configuration.device, memorySize: configuration.memorySize)
    let system = try refused.translating { () throws(KVMError) in
      try System(path: configuration.device)
    }
    let count = max(configuration.cpus.count, 1)
    try Self.check(system, for: configuration, virtualCPUs: count)
    self.logger = logger
    device = configuration.device
    hypervisor = Hypervisor(system)
    let control = RunControl()
    self.control = control

    let memory = try refused.translating { () throws(KVMError) in
      try GuestMemory(size: configuration.memorySize)
    }
    configuration.loader.load(into: memory, virtualCPUs: count)
    let machine = try refused.translating { () throws(KVMError) in
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
    let terminal = configuration.console ? Terminal(control: control) : nil
    self.terminal = terminal
    let console = UART(
      transmit: { [consoleLog] byte in
        // The terminal may be slow.
        consoleLog.append(CollectionOfOne(byte))
        terminal?.write(byte)
      },
      interrupt: { lines.set(InterruptNumber.firstSerial, high: $0) })
    self.console = console
    let power = PowerManagement(
      interrupt: { lines.set(InterruptNumber.systemControl, high: $0) },
      powerOff: { control.finish(.poweredOff) })
    self.power = power
    let buses = PCDevices.buses(
      console: console, channel: channel, power: power, lines: lines, control: control,
      passed: configuration.ports)

    var factory = ProcessorFactory(
      lines: lines, buses: buses, control: control, isApus: hypervisor == .apus, count: count,
      entry: configuration.loader.image.entry, logger: logger)
    try refused.translating { () throws(KVMError) in try factory.prepare(with: system) }
    var processors: [Processor] = []
    for id in 0..<count {
      var refused = refused
      refused.cpu = id < configuration.cpus.count ? configuration.cpus[id] : nil
      let cpu = refused.cpu
      processors.append(
        try refused.translating { () throws(KVMError) in
          try factory.makeProcessor(id: UInt32(id), cpu: cpu)
        })
    }
    for range in configuration.ports {
      var refused = refused
      refused.ports = range
      try refused.translating { () throws(KVMError) in
        try lines.machine.passPorts(first: range.ports.lowerBound, count: range.count)
      }
    }
    let coalesces = factory.ringOffset != nil && buses.ports.holds(UInt64(Port.firstSerial))
    if coalesces {
      // Not those to the second port, which counts exits by them: see `ReportChannel`.
      try refused.translating { () throws(KVMError) in
        try lines.machine.coalesceWrites(toPorts: Port.firstSerial, count: 1)
      }
    }
    collector =
      coalesces
      ? WriteCollector(processor: processors[0], console: console, control: control) : nil
    self.processors = processors
    meter.attach(processors)
  }

  /// What can be refused before anything is taken from the host.
  private static func check(
    _ system: borrowing System, for configuration: GuestConfiguration, virtualCPUs count: Int
  ) throws(SetupError) {
    for (capability, name) in Self.neededCapabilities where system.check(capability) == 0 {
      throw .missingCapability(device: configuration.device, name: name)
    }
    let limit = min(max(system.check(KVM_CAP_MAX_VCPUS), 1), ACPITables.mostProcessors)
    guard count <= limit else { throw .tooManyCPUs(count: count, limit: limit) }
    guard Hypervisor(system) == .apus else {
      if !configuration.ports.isEmpty { throw .portsNotPassed(device: configuration.device) }
      return try Preflight.check(cpus: configuration.cpus, of: HostFiles())
    }
    guard system.apusVersion == Int(APUS_ABI_VERSION) else {
      throw .driverVersion(driver: system.apusVersion, program: Int(APUS_ABI_VERSION))
    }
    let state: DriverState
    do {
      state = DriverState(try system.host())
    } catch {
      throw .call(error)
    }
    try Preflight.check(cpus: configuration.cpus, lentBy: state, of: HostFiles())
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

  /// Runs the guest to its end.
  public func run() -> RunResult {
    terminal?.begin()
    if terminal?.isRaw == true { logger.notice("Ctrl-A x ends the run") }
    clock.start()
    let threads = startThreads()
    let end = EventLoop(control: control, terminal: terminal, console: console).run()
    let elapsed = clock.elapsed
    control.finish(end)
    // The terminal first: a host in trouble may be slow to stop the vCPUs.
    terminal?.end()
    for processor in processors { processor.virtualCPU.requestExit() }
    Thread.stop(threads)
    return RunResult(
      device: device, hypervisor: hypervisor, outcome: control.outcome ?? end, elapsed: elapsed,
      report: channel.report, virtualCPUs: processors.map { $0.result() })
  }

  private func startThreads() -> [Thread] {
    var threads: [Thread] = []
    for processor in processors {
      do {
        threads.append(try Thread { processor.run() })
      } catch {
        control.finish(.hostFailed("no thread for vCPU \(processor.virtualCPU.id): \(error)"))
      }
    }
    if let collector {
      do {
        threads.append(try Thread { collector.run() })
      } catch {
        control.finish(.hostFailed("no thread for the console: \(error)"))
      }
    }
    return threads
  }
}
