// SPDX-License-Identifier: Apache-2.0
import KVM
import SystemPackage

/// Why a guest could not start, and what to do about it.
public enum SetupError: Error, Equatable, Sendable, CustomStringConvertible {
  case unreadable(path: String, Errno)
  case kernel(path: String, LinuxImageError)
  case boot(BootError)
  case memoryExceedsMachine(requested: UInt64, total: UInt64)
  case memoryUnavailable(requested: UInt64, available: UInt64)
  case noDevice(path: String)
  case noPermission(path: String)
  case notKVM(path: String)
  case noSuchCPU(Int, possible: String)
  case cpuIsLinux(Int)
  case cpuLent(Int)
  case cpuOffline(Int)
  case noCPU
  case missingCapability(device: String, name: String)
  case call(KVMError)

  /// Whether the fault lies in what was asked for, not in the host.
  public var isUsage: Bool {
    switch self {
    case .unreadable, .kernel, .boot, .memoryExceedsMachine, .noSuchCPU, .cpuIsLinux: true
    default: false
    }
  }

  public var description: String {
    switch self {
    case .unreadable(let path, let errno): "cannot read \(path): \(errno)"
    case .kernel(let path, let error): "\(path) \(error)"
    case .boot(let error): "\(error)"
    case .memoryExceedsMachine(let requested, let total):
      "the guest's memory of \(MemorySize(bytes: requested)) is more than this machine has "
        + "(\(MemorySize(bytes: total))): use a smaller --memory"
    case .memoryUnavailable(let requested, let available):
      "the guest's memory of \(MemorySize(bytes: requested)) is more than this machine has free "
        + "(\(MemorySize(bytes: available))): use a smaller --memory, or end other programs"
    case .noDevice(let path) where path.hasSuffix("apus"):
      "there is no \(path): load the driver with `modprobe apus` or `insmod apus.ko`, "
        + "and see `apus check`"
    case .noDevice(let path):
      "there is no \(path): load the module kvm-amd or kvm-intel"
    case .noPermission(let path):
      "no permission to open \(path): run as root, or as a member of the group that owns it"
    case .notKVM(let path):
      "\(path) does not answer as KVM does: name /dev/apus or /dev/kvm"
    case .noSuchCPU(let cpu, let possible):
      "there is no CPU \(cpu); this machine has \(possible)"
    case .cpuIsLinux(let cpu):
      "CPU \(cpu) cannot be lent: Linux needs CPU 0, and one CPU at least; name another one"
    case .cpuLent(let cpu):
      "CPU \(cpu) is lent to another guest already: name another one, or end that guest"
    case .cpuOffline(let cpu):
      "CPU \(cpu) is offline: `echo 1 > /sys/devices/system/cpu/cpu\(cpu)/online`"
    case .noCPU:
      "no CPU is left to lend: name one with --cpu, or set the driver's pool"
    case .missingCapability(let device, let name):
      "\(device) lacks \(name), which a Linux guest needs"
    case .call(let error): "\(error)"
    }
  }

  /// Says what a refused call means for this guest.
  static func translating<Result: ~Copyable>(
    _ configuration: GuestConfiguration, _ body: () throws(KVMError) -> Result
  ) throws(SetupError) -> Result {
    do {
      return try body()
    } catch {
      throw SetupError(error, configuration)
    }
  }

  init(_ error: KVMError, _ configuration: GuestConfiguration) {
    let path = configuration.device
    // With several CPUs the driver's answer does not say which one; each was checked before.
    let cpu = configuration.cpus.last ?? 0
    self =
      switch (error.call, error.errno) {
      case ("open", .noSuchFileOrDirectory), ("open", .noSuchAddressOrDevice),
        ("open", .operationNotSupportedByDevice):
        .noDevice(path: path)
      case ("open", .permissionDenied), ("open", .notPermitted): .noPermission(path: path)
      case ("open", let errno): .unreadable(path: path, errno)
      case ("KVM_GET_API_VERSION", _): .notKVM(path: path)
      case ("KVM_SET_LENT_CPU", .resourceBusy): .cpuLent(cpu)
      case ("KVM_SET_LENT_CPU", .invalidArgument): .cpuIsLinux(cpu)
      case ("KVM_SET_LENT_CPU", .operationNotSupportedByDevice):
        .noSuchCPU(cpu, possible: HostFiles().possibleCPUs)
      case (_, .noMemory):
        .memoryUnavailable(
          requested: configuration.memorySize, available: HostFiles().availableMemory ?? 0)
      default: .call(error)
      }
  }
}
