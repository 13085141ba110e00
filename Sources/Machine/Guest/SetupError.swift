// SPDX-License-Identifier: Apache-2.0
import KVM
import SystemPackage

/// Why a guest could not start, and what to do about it.
public enum SetupError: Error, Equatable, Sendable, CustomStringConvertible {
  case unreadable(path: String, Errno)
  case unwritable(path: String, Errno)
  case fileTooLarge(path: String, limit: UInt64)
  case kernel(path: String, LinuxImageError)
  case boot(BootError)
  case memoryNotPages(bytes: UInt64)
  case memoryExceedsMachine(requested: UInt64, total: UInt64)
  case memoryUnavailable(requested: UInt64, available: UInt64)
  case memoryBeyondLimit(requested: UInt64, limit: UInt64)
  /// As many as the driver permits a user.
  case beyondUserLimit(_ what: String, parameter: String)
  case noDevice(path: String)
  case noPermission(path: String)
  case notKVM(path: String)
  case noSuchCPU(Int, possible: String)
  case cpuLent(Int)
  case cpuNotInPool(Int)
  case cpuOffline(Int)
  case cpuKept(Int)
  /// nil: one that the driver chose.
  case cpuUnfit(Int?)
  case noCPU
  case tooManyCPUs(count: Int, limit: Int)
  case driverVersion(driver: Int, program: Int)
  case monitorMissing
  case monitorOther
  case firmwareOff
  case missingCapability(device: String, name: String)
  case portsNotPassed(device: String)
  case timerNotChosen(device: String)
  /// The processor has no timer that could do it.
  case timerUnavailable(TimerChoice)
  case portsNotPermitted(PortRange)
  case portsInUse(PortRange)
  case portsRefused(PortRange)
  case control(ControlError)
  case device(VirtualDeviceError)
  case call(KVMError)

  /// What KVM_APUS_PASS_PORTS answered; nil: nothing that says more than the number.
  init?(ports: PortRange, _ errno: Errno) {
    switch errno {
    case .notPermitted: self = .portsNotPermitted(ports)
    case .resourceBusy: self = .portsInUse(ports)
    case .invalidArgument: self = .portsRefused(ports)
    default: return nil
    }
  }

  /// Whether the fault lies in what was asked for, not in the host.
  public var isUsage: Bool {
    switch self {
    case .control(let error): error.isUsage
    case .device(let error): error.isUsage
    case .unreadable, .unwritable, .fileTooLarge, .kernel, .boot, .memoryNotPages,
      .memoryExceedsMachine, .noSuchCPU, .cpuKept, .cpuLent, .cpuOffline, .tooManyCPUs,
      .portsNotPassed, .timerNotChosen, .timerUnavailable, .portsInUse, .portsRefused:
      true
    case .memoryUnavailable, .memoryBeyondLimit, .beyondUserLimit, .noDevice, .noPermission,
      .notKVM, .cpuUnfit,
      .noCPU,
      .driverVersion, .monitorMissing, .monitorOther, .firmwareOff, .missingCapability,
      .portsNotPermitted, .cpuNotInPool, .call:
      false
    }
  }

  public var description: String {
    switch self {
    case .unreadable(let path, let errno): "cannot read \(path): \(errno)"
    case .unwritable(let path, let errno): "cannot write \(path): \(errno)"
    case .fileTooLarge(let path, let limit):
      "\(path) is larger than the guest's memory of \(MemorySize(bytes: limit)): use a larger "
        + "--memory"
    case .kernel(let path, let error): "\(path) \(error)"
    case .boot(let error): "\(error)"
    case .memoryNotPages(let bytes):
      "the guest's memory of \(bytes) bytes is not a number of pages: use a multiple of 4K"
    case .memoryExceedsMachine(let requested, let total):
      "the guest's memory of \(MemorySize(bytes: requested)) is more than this machine has "
        + "(\(MemorySize(bytes: total))): use a smaller --memory"
    case .memoryUnavailable(let requested, let available):
      "the guest's memory of \(MemorySize(bytes: requested)) is more than this machine has free "
        + "(\(MemorySize(bytes: available))): use a smaller --memory, or end other programs"
    case .memoryBeyondLimit(let requested, let limit):
      "the guest's memory of \(MemorySize(bytes: requested)), with that of this user's other guests, "
        + "is more than this user may lock (\(MemorySize(bytes: limit)), `ulimit -l`): have the limit "
        + "raised in /etc/security/limits.conf, or run as root"
    case .beyondUserLimit(let what, let parameter):
      "this user has as many \(what) as one user may have: end another guest, run as root, or have "
        + "/sys/module/apus/parameters/\(parameter) raised"
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
    case .cpuKept(let cpu):
      "CPU \(cpu) cannot be lent: Linux needs CPU 0, and one CPU at least; name another one"
    case .cpuLent(let cpu):
      "CPU \(cpu) is lent to another guest already: name another one, or end that guest"
    case .cpuNotInPool(let cpu):
      "CPU \(cpu) is not one of those that everybody may use: run as root, or have root add it "
        + "to the pool (apus pool)"
    case .cpuOffline(let cpu):
      "CPU \(cpu) is offline: `echo 1 > /sys/devices/system/cpu/cpu\(cpu)/online`"
    case .cpuUnfit(let cpu):
      "\(cpu.map { "CPU \($0)" } ?? "the CPU") did not start as a lent one and is Linux's again: the "
        + "kernel's log says why (dmesg | grep apus), and `apus check` what can be done"
    case .noCPU:
      "no CPU is left to lend: name one with --cpu, or name more for the pool (apus pool)"
    case .tooManyCPUs(let count, let limit):
      "\(count) CPUs are more than a guest can have here: name at most \(limit)"
    case .driverVersion(let driver, let program):
      "the driver speaks version \(driver) of the interface and this program \(program): "
        + "take both from the same build"
    case .monitorMissing:
      "the driver has no monitor to start: put its image (build/monitor) at "
        + "/lib/firmware/apus/monitor"
    case .monitorOther:
      "/lib/firmware/apus/monitor is not the monitor that the driver was built with: install both from "
        + "one build, then rmmod apus and modprobe apus"
    case .firmwareOff:
      "the firmware has switched virtualisation off: switch on SVM (AMD) or VT-x (Intel) in the "
        + "firmware's setup"
    case .missingCapability(let device, let name):
      "\(device) lacks \(name), which a Linux guest needs"
    case .timerNotChosen(let device):
      "\(device) chooses its guests' timers itself: --timer is for /dev/apus"
    case .timerUnavailable(let timer):
      "this processor has no VMX-preemption timer that could be relied on: --timer \(timer) is not "
        + "to be had, monitor is"
    case .portsNotPassed(let device):
      "\(device) passes no ports to a guest: --port needs /dev/apus"
    case .portsNotPermitted(let ports):
      "no permission to pass ports \(ports): it takes root (CAP_SYS_RAWIO), and a kernel that is "
        + "not locked down (/sys/kernel/security/lockdown)"
    case .portsInUse(let ports):
      "ports \(ports) are used by a driver of Linux's (/proc/ioports): unbind it from its device "
        + "(/sys/bus/*/drivers/*/unbind), or free a serial port with `setserial /dev/ttyS2 uart none`"
    case .portsRefused(let ports):
      "ports \(ports) are not passed: through some of them a guest could reset the machine, move "
        + "its devices or stop its interrupts"
    case .control(let error): "\(error)"
    case .device(let error): "\(error)"
    case .call(let error) where error.errno == .ioError:
      "\(error): the lent CPU stopped answering and is Linux's again; the kernel's log says why "
        + "(dmesg | grep apus)"
    case .call(let error): "\(error)"
    }
  }
}
