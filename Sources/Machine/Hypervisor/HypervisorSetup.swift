// SPDX-License-Identifier: Apache-2.0
import Contract
import KVM

extension Hypervisor {
  /// Refuses a guest that the device cannot run, before anything is taken from the host.
  func check(
    _ system: borrowing System, for configuration: GuestConfiguration
  ) throws(SetupError) {
    switch self {
    case .apus:
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
    case .kvm:
      if !configuration.ports.isEmpty { throw .portsNotPassed(device: configuration.device) }
      if configuration.timer != nil { throw .timerNotChosen(device: configuration.device) }
      try Preflight.check(cpus: configuration.cpus, of: HostFiles())
    }
  }

  /// Gives a new vCPU the host's CPU to run on; nil: any.
  func place(
    _ virtualCPU: borrowing VirtualCPU, on cpu: Int?
  ) throws(KVMError) -> any VirtualCPUHost {
    switch self {
    case .apus:
      if let cpu { try virtualCPU.setLentCPU(cpu) }
      return ApusHost()
    case .kvm: return KVMHost(virtualCPU, pinnedCPU: cpu)
    }
  }
}
