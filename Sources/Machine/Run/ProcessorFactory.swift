// SPDX-License-Identifier: Apache-2.0
import Contract
import KVM
import Logging

/// Makes a guest's vCPUs, all alike but for their number.
struct ProcessorFactory {
  let lines: InterruptLines
  let buses: Buses
  let control: RunControl
  let isApus: Bool
  let count: Int
  /// Where the first vCPU starts.
  let entry: UInt64
  let logger: Logger

  private var supported: [kvm_cpuid_entry2] = []
  private var hasDeadlineTimer = false
  /// Of the ring of coalesced writes, where there is one.
  private(set) var ringOffset: Int?
  private let writes: WaitingWrites

  init(
    lines: InterruptLines, buses: Buses, control: RunControl, isApus: Bool, count: Int,
    entry: UInt64, logger: Logger
  ) {
    self.lines = lines
    self.buses = buses
    self.control = control
    self.isApus = isApus
    self.count = count
    self.entry = entry
    self.logger = logger
    writes = WaitingWrites(bus: buses)
  }

  /// Asks the device what its vCPUs can be.
  mutating func prepare(with system: borrowing System) throws(KVMError) {
    supported = try system.supportedCPUID()
    hasDeadlineTimer = system.check(KVM_CAP_TSC_DEADLINE_TIMER) > 0
    ringOffset = system.coalescedRingOffset
  }

  /// `cpu` is the host's CPU to run on: lent to the vCPU, or kept by its thread.
  func makeProcessor(id: UInt32, cpu: Int?) throws(KVMError) -> Processor {
    let virtualCPU = try lines.machine.createVirtualCPU(id: id)
    if isApus, let cpu { try virtualCPU.setLentCPU(cpu) }
    let cpuid = GuestCPUID(
      virtualCPU: id, virtualCPUs: UInt32(count), hasDeadlineTimer: hasDeadlineTimer)
    try virtualCPU.setCPUID(cpuid.entries(from: supported))
    // The others wait for INIT and SIPI as they are.
    if id == 0 { try setInitialState(virtualCPU) }
    return Processor(
      virtualCPU, bus: buses, control: control, isApus: isApus, pinnedCPU: isApus ? nil : cpu,
      ringOffset: ringOffset, writes: writes)
  }

  /// The first vCPU starts at the kernel's entry point, in x2APIC mode if the device lets it.
  private func setInitialState(_ virtualCPU: borrowing VirtualCPU) throws(KVMError) {
    let initial = try virtualCPU.specialRegisters()
    do {
      try virtualCPU.setSpecialRegisters(BootRegisters.special(from: initial, x2APIC: true))
    } catch {
      logger.warning("the guest starts in xAPIC mode: x2APIC was refused (\(error))")
      try virtualCPU.setSpecialRegisters(BootRegisters.special(from: initial, x2APIC: false))
    }
    try virtualCPU.setRegisters(BootRegisters.general(entry: entry))
  }
}
