// SPDX-License-Identifier: Apache-2.0
import Contract
import Glibc
import KVM
import Logging
import Synchronization

/// A whole guest, from its memory to its end. What it took from the host goes back when it goes.
public final class GuestMachine: Sendable {
  // vCPUs first: each gives its CPU back. Their threads have ended when this goes.
  let virtualCPUs: [VirtualCPUThread]
  /// Where writes to the console wait. Has a vCPU too.
  private let collector: WriteCollector?
  private let lines: InterruptLines
  private let memory: GuestRAM

  let control: RunControl
  let devices: PCDevices
  private let virtualDevices: VirtualDevices
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
    hypervisor = Hypervisor(system)
    device = configuration.device
    self.logger = logger
    let control = RunControl()
    self.control = control

    let opened: [VirtualDevices.Opened]
    do {
      opened = try VirtualDevices.open(configuration.devices)
    } catch {
      throw .device(error)
    }
    let memory = try refused.translating { () throws(KVMError) in
      try GuestRAM(size: configuration.memorySize)
    }
    configuration.loader.load(into: memory, virtualCPUs: count, hasPCI: !opened.isEmpty)
    let machine = try refused.translating { () throws(KVMError) in
      try Self.createMachine(system, memory: memory)
    }
    let guestMemory = GuestMemory(memory)
    self.memory = memory
    let lines = InterruptLines(machine, control: control)
    self.lines = lines
    let virtualDevices = try refused.translating { () throws(KVMError) in
      try VirtualDevices(opened, memory: guestMemory, wiring: lines, control: control)
    }
    self.virtualDevices = virtualDevices
    let devices = PCDevices(
      configuration, virtual: virtualDevices, lines: lines, control: control)
    self.devices = devices

    let factory = try refused.translating { () throws(KVMError) in
      try VirtualCPUFactory(
        system, lines: lines, buses: devices.buses, control: control, count: count,
        entry: configuration.loader.image.entry, timer: configuration.timer, logger: logger)
    }
    if hypervisor == .apus, !configuration.cpus.isEmpty {
      try refused.translating { () throws(KVMError) in try lines.machine.nameCPUs() }
    }
    virtualCPUs = try Self.makeVirtualCPUs(factory, on: configuration.cpus, refused)
    devices.meter.attach(virtualCPUs)
    try Self.pass(configuration.ports, to: lines.machine, refused)
    let coalesces = factory.ringOffset != nil && devices.buses.ports.holds(UInt64(Port.firstSerial))
    if coalesces {
      // Not those to the second port, which counts exits by them: see `ReportChannel`.
      try refused.translating { () throws(KVMError) in
        try lines.machine.coalesceWrites(toPorts: Port.firstSerial, count: 1)
      }
    }
    collector =
      coalesces
      ? WriteCollector(virtualCPU: virtualCPUs[0], console: devices.console, control: control)
      : nil
  }

  /// Memory of the guest's, for whoever knows what it has there; as long as this lives.
  func memory(_ range: Range<UInt64>) -> UnsafeMutableRawBufferPointer { memory.bytes(range) }

  /// One vCPU for each of the host's CPUs that are named; without any, one on any CPU.
  private static func makeVirtualCPUs(
    _ factory: VirtualCPUFactory, on cpus: [Int], _ refused: RefusedCall
  ) throws(SetupError) -> [VirtualCPUThread] {
    var threads: [VirtualCPUThread] = []
    for id in 0..<factory.count {
      var refused = refused
      refused.cpu = id < cpus.count ? cpus[id] : nil
      let cpu = refused.cpu
      threads.append(
        try refused.translating { () throws(KVMError) in
          try factory.makeThread(id: UInt32(id), cpu: cpu)
        })
    }
    return threads
  }

  private static func pass(
    _ ports: [PortRange], to machine: borrowing VirtualMachine, _ refused: RefusedCall
  ) throws(SetupError) {
    for range in ports {
      var refused = refused
      refused.ports = range
      try refused.translating { () throws(KVMError) in
        try machine.passPorts(first: range.ports.lowerBound, count: range.count)
      }
    }
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
    try Hypervisor(system).check(system, for: configuration)
  }

  private static let neededCapabilities: [(capability: Int32, name: String)] = [
    (KVM_CAP_USER_MEMORY, "KVM_CAP_USER_MEMORY"), (KVM_CAP_IRQCHIP, "KVM_CAP_IRQCHIP"),
    (KVM_CAP_PIT2, "KVM_CAP_PIT2"), (KVM_CAP_EXT_CPUID, "KVM_CAP_EXT_CPUID"),
    // The MADT says that line 0 arrives at pin 2: the lines must be routed like that.
    (KVM_CAP_IRQ_ROUTING, "KVM_CAP_IRQ_ROUTING"),
  ]

  private static func createMachine(
    _ system: borrowing System, memory: borrowing GuestRAM
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
    devices.terminal?.begin()
    if devices.terminal?.isRaw == true { logger.notice("Ctrl-A x ends the run") }
    devices.clock.start()
    let threads = startThreads()
    let end = EventLoop(
      control: control, terminal: devices.terminal, console: devices.console
    ).run()
    let elapsed = devices.clock.elapsed
    control.finish(end)
    // The terminal first: a host in trouble may be slow to stop the vCPUs.
    devices.terminal?.end()
    for thread in virtualCPUs { thread.virtualCPU.requestExit() }
    Thread.stop(threads)
    virtualDevices.stop()
    return RunResult(
      device: device, hypervisor: hypervisor, outcome: control.outcome ?? end, elapsed: elapsed,
      report: devices.channel.report, virtualCPUs: self.virtualCPUs.map { $0.result() })
  }

  private func startThreads() -> [Thread] {
    var threads: [Thread] = []
    for virtualCPU in virtualCPUs {
      do {
        threads.append(try Thread { virtualCPU.run() })
      } catch {
        control.finish(.hostFailed("no thread for vCPU \(virtualCPU.virtualCPU.id): \(error)"))
      }
    }
    for work in virtualDevices.works {
      do {
        threads.append(try Thread { [control] in work { control.outcome != nil } })
      } catch {
        control.finish(.hostFailed("no thread for a device: \(error)"))
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
