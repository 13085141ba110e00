// SPDX-License-Identifier: Apache-2.0
import Contract
import KVM
import Logging

/// Makes a guest's vCPUs, all alike but for their number.
struct VirtualCPUFactory {
  let lines: InterruptLines
  let buses: Buses
  let control: RunControl
  let hypervisor: Hypervisor
  let count: Int
  /// Where the first vCPU starts.
  let entry: UInt64
  let logger: Logger

  /// Who keeps their timers, if that was said.
  private let timer: TimerChoice?

  /// What the device's vCPUs can be.
  private let supported: [kvm_cpuid_entry2]
  private let hasDeadlineTimer: Bool
  /// Of the ring of coalesced writes, where there is one.
  let ringOffset: Int?
  private let writes: WaitingWrites

  init(
    _ system: borrowing System, lines: InterruptLines, buses: Buses, control: RunControl,
    count: Int, entry: UInt64, timer: TimerChoice?, logger: Logger
  ) throws(KVMError) {
    hypervisor = Hypervisor(system)
    supported = try system.supportedCPUID()
    hasDeadlineTimer = system.check(KVM_CAP_TSC_DEADLINE_TIMER) > 0
    ringOffset = system.coalescedRingOffset
    self.lines = lines
    self.buses = buses
    self.control = control
    self.count = count
    self.entry = entry
    self.timer = timer
    self.logger = logger
    writes = WaitingWrites(bus: buses)
  }

  /// `cpu` is the host's CPU to run on: lent to the vCPU, or kept by its thread.
  func makeThread(id: UInt32, cpu: Int?) throws(KVMError) -> VirtualCPUThread {
    let virtualCPU = try lines.machine.createVirtualCPU(id: id)
    let host = try hypervisor.place(virtualCPU, on: cpu)
    let cpuid = GuestCPUID(
      virtualCPU: id, virtualCPUs: UInt32(count), hasDeadlineTimer: hasDeadlineTimer)
    try virtualCPU.setCPUID(cpuid.entries(from: supported))
    // The others wait for INIT and SIPI as they are.
    if id == 0 { try setInitialState(virtualCPU) }
    if let timer { try virtualCPU.setTimer(timer.policy) }
    return VirtualCPUThread(
      virtualCPU, on: host, bus: buses, control: control, ringOffset: ringOffset, writes: writes)
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
