// SPDX-License-Identifier: Apache-2.0
import Contract

/// What lies in the pages that are the monitor's alone.
extension VirtualCPUPages {
  /// The state has the first private page of the vCPU area.
  @inline(__always) var state: UnsafeMutablePointer<VirtualCPUState> {
    unsafe vcpuPage(APUS_VCPU_PAGE_PRIVATE).assumingMemoryBound(to: VirtualCPUState.self)
  }
  /// RAX to R15 in the order of their encoding.
  @inline(__always) var registers: UnsafeMutablePointer<UInt64> {
    unsafe withUnsafeMutablePointer(to: &state.pointee.registers) {
      unsafe UnsafeMutableRawPointer($0).assumingMemoryBound(to: UInt64.self)
    }
  }
  /// The client's CPUID leaves have the three pages behind the state.
  @inline(__always) var cpuid: UnsafeMutablePointer<kvm_cpuid_entry2> {
    unsafe vcpuPage(APUS_VCPU_PAGE_PRIVATE + 1).assumingMemoryBound(to: kvm_cpuid_entry2.self)
  }
  /// The page behind those; the next is the unit's.
  @inline(__always) var machineCheck: UnsafeMutablePointer<MachineCheckBanks> {
    unsafe vcpuPage(APUS_VCPU_PAGE_PRIVATE + 4).assumingMemoryBound(to: MachineCheckBanks.self)
  }
  @inline(__always) var cpuidDirectory: UnsafeMutablePointer<CPUIDDirectory> {
    unsafe withUnsafeMutablePointer(to: &state.pointee.cpuidDirectory) { unsafe $0 }
  }
  @inline(__always) var guestPages: UnsafeMutablePointer<GuestPages.Page> {
    unsafe withUnsafeMutablePointer(to: &state.pointee.guestPages) {
      unsafe UnsafeMutableRawPointer($0).assumingMemoryBound(to: GuestPages.Page.self)
    }
  }
  /// `InstructionSites.count` of them, behind the unit's page.
  @inline(__always) var sites: UnsafeMutablePointer<InstructionSites.Site> {
    unsafe vcpuPage(APUS_VCPU_PAGE_PRIVATE + 6).assumingMemoryBound(to: InstructionSites.Site.self)
  }
  /// APUS_SLOTS entries, zeroed by the driver.
  @inline(__always) var mappedSlots: UnsafeMutablePointer<MappedSlot> {
    unsafe vmPage(APUS_VM_PAGE_MAPPED).assumingMemoryBound(to: MappedSlot.self)
  }
  @inline(__always) var machine: UnsafeMutablePointer<VirtualMachineState> {
    unsafe (vmPage(APUS_VM_PAGE_PRIVATE) + 64).assumingMemoryBound(to: VirtualMachineState.self)
  }
}
