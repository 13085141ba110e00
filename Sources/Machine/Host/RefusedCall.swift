// SPDX-License-Identifier: Apache-2.0
import Glibc
import KVM
import SystemPackage

/// What a call that the device refused means for the guest that was to be made.
struct RefusedCall {
  let device: String
  let memorySize: UInt64
  /// The CPU that the call was about.
  var cpu: Int?
  /// The ports that it was about.
  var ports: PortRange?
  var host = HostFiles()

  func translating<Result: ~Copyable>(
    _ body: () throws(KVMError) -> Result
  ) throws(SetupError) -> Result {
    do {
      return try body()
    } catch {
      throw meaning(of: error)
    }
  }

  /// More than this user may have pinned, which the device does where guests get CPUs of their own.
  /// What the user's other guests have pinned counts: what else is there to refuse memory that is free?
  private var isBeyondLimit: Bool {
    guard let limit = host.lockedMemoryLimit else { return false }
    return memorySize > limit || host.availableMemory.map { memorySize <= $0 } ?? false
  }

  func meaning(of error: KVMError) -> SetupError {
    switch (error.call, error.errno) {
    case ("open", .noSuchFileOrDirectory), ("open", .noSuchAddressOrDevice),
      ("open", .operationNotSupportedByDevice):
      .noDevice(path: device)
    case ("open", .permissionDenied), ("open", .notPermitted): .noPermission(path: device)
    case ("open", let errno): .unreadable(path: device, errno)
    case ("KVM_GET_API_VERSION", _): .notKVM(path: device)
    case ("KVM_CREATE_VM", .noSuchFileOrDirectory), ("KVM_CREATE_VM", .execFormatError):
      .monitorMissing
    case ("KVM_CREATE_VM", Errno(rawValue: EKEYREJECTED)): .monitorOther
    case ("KVM_CREATE_VM", .diskQuotaExceeded): .beyondUserLimit("guests", parameter: "user_vms")
    case ("KVM_CREATE_VCPU", .diskQuotaExceeded):
      .beyondUserLimit("virtual CPUs", parameter: "user_vcpus")
    case (_, .diskQuotaExceeded): .beyondUserLimit("CPUs", parameter: "user_lent_cpus")
    // Without a CPU named, the driver takes one of its pool for a new vCPU.
    case ("KVM_SET_LENT_CPU", .resourceBusy), ("KVM_CREATE_VCPU", .resourceBusy):
      cpu.map(SetupError.cpuLent) ?? .noCPU
    case ("KVM_SET_LENT_CPU", .notPermitted): cpu.map(SetupError.cpuNotInPool) ?? .noCPU
    case ("KVM_SET_LENT_CPU", .invalidArgument): cpu.map(SetupError.cpuKept) ?? .noCPU
    case ("KVM_SET_LENT_CPU", .operationNotSupportedByDevice),
      ("KVM_CREATE_VCPU", .operationNotSupportedByDevice):
      cpu.map { .noSuchCPU($0, possible: host.possibleCPUs) } ?? .noCPU
    case ("KVM_SET_LENT_CPU", .notSupportedOnSocket), ("KVM_SET_LENT_CPU", .ioError),
      ("KVM_CREATE_VCPU", .notSupportedOnSocket):
      .cpuUnfit(cpu)
    case ("KVM_APUS_SET_TIMER", .notSupportedOnSocket): .timerUnavailable(.preemption)
    case ("KVM_APUS_PASS_PORTS", let errno):
      ports.flatMap { SetupError(ports: $0, errno) } ?? .call(error)
    case ("KVM_SET_USER_MEMORY_REGION", .noMemory) where isBeyondLimit:
      .memoryBeyondLimit(requested: memorySize, limit: host.lockedMemoryLimit ?? 0)
    case ("mmap", .noMemory), ("KVM_SET_USER_MEMORY_REGION", .noMemory):
      .memoryUnavailable(requested: memorySize, available: host.availableMemory ?? 0)
    default: .call(error)
    }
  }
}
