// SPDX-License-Identifier: Apache-2.0
import KVM
import SystemPackage
import Testing

@testable import Machine

@Suite("A call that the device refused")
struct RefusedCallTests {
  private func meaning(_ call: String, _ errno: Errno, cpu: Int? = 3) -> SetupError {
    RefusedCall(device: "/dev/apus", memorySize: 1 << 30, cpu: cpu, host: HostFiles(root: "/none"))
      .meaning(of: KVMError(call: call, errno: errno))
  }

  @Test("means a missing driver, or a missing permission")
  func open() {
    #expect(meaning("open", .noSuchFileOrDirectory) == .noDevice(path: "/dev/apus"))
    #expect(meaning("open", .permissionDenied) == .noPermission(path: "/dev/apus"))
    #expect(meaning("KVM_GET_API_VERSION", .init(rawValue: 25)) == .notKVM(path: "/dev/apus"))
  }

  @Test("means a CPU that is lent, is Linux's, or does not exist")
  func lent() {
    #expect(meaning("KVM_SET_LENT_CPU", .resourceBusy) == .cpuLent(3))
    #expect(meaning("KVM_SET_LENT_CPU", .notPermitted) == .cpuNotInPool(3))
    #expect(meaning("KVM_SET_LENT_CPU", .invalidArgument) == .cpuKept(3))
    #expect(
      meaning("KVM_SET_LENT_CPU", .operationNotSupportedByDevice)
        == .noSuchCPU(3, possible: "no CPU list"))
    #expect(meaning("KVM_SET_LENT_CPU", .resourceBusy, cpu: nil) == .noCPU)
  }

  @Test("means an unfit CPU, an empty pool or a missing monitor")
  func driver() {
    // EOPNOTSUPP and EIO of the driver, ENOEXEC of a malformed image.
    #expect(meaning("KVM_SET_LENT_CPU", Errno(rawValue: 95)) == .cpuUnfit(3))
    #expect(meaning("KVM_SET_LENT_CPU", Errno(rawValue: 5)) == .cpuUnfit(3))
    #expect(meaning("KVM_CREATE_VCPU", Errno(rawValue: 19), cpu: nil) == .noCPU)
    #expect(meaning("KVM_CREATE_VCPU", Errno(rawValue: 16), cpu: nil) == .noCPU)
    #expect(meaning("KVM_CREATE_VM", Errno(rawValue: 2)) == .monitorMissing)
    #expect(meaning("KVM_CREATE_VM", Errno(rawValue: 8)) == .monitorMissing)
  }

  @Test("for want of memory says how much was asked for")
  func memory() {
    #expect(
      meaning("KVM_SET_USER_MEMORY_REGION", .noMemory)
        == .memoryUnavailable(requested: 1 << 30, available: 0))
  }

  @Test("for want of memory says which limit of the user's it is beyond")
  func lockedMemory() throws {
    let directory = try HostDirectory([
      "/proc/self/limits": "Max locked memory         8388608              8388608        bytes\n"
    ])
    let error = KVMError(call: "KVM_SET_USER_MEMORY_REGION", errno: .noMemory)
    func meaning(memory: UInt64) -> SetupError {
      RefusedCall(device: "/dev/apus", memorySize: memory, host: directory.files).meaning(of: error)
    }
    #expect(meaning(memory: 16 << 20) == .memoryBeyondLimit(requested: 16 << 20, limit: 8 << 20))
    #expect(meaning(memory: 4 << 20) == .memoryUnavailable(requested: 4 << 20, available: 0))
  }

  @Test("for want of memory that is free means that the user's guests have the rest of the limit")
  func memoryOfOtherGuests() throws {
    let directory = try HostDirectory([
      "/proc/self/limits": "Max locked memory         8388608              8388608        bytes\n",
      "/proc/meminfo": "MemAvailable:    1048576 kB\n",
    ])
    let refused = RefusedCall(device: "/dev/apus", memorySize: 4 << 20, host: directory.files)
    #expect(
      refused.meaning(of: KVMError(call: "KVM_SET_USER_MEMORY_REGION", errno: .noMemory))
        == .memoryBeyondLimit(requested: 4 << 20, limit: 8 << 20))
  }

  @Test("beyond what a user may have names the driver's parameter")
  func userLimits() {
    func parameter(_ call: String) -> String {
      // EDQUOT
      "\(meaning(call, Errno(rawValue: 122), cpu: nil))"
    }
    #expect(parameter("KVM_CREATE_VM").contains("parameters/user_vms "))
    #expect(parameter("KVM_CREATE_VCPU").contains("parameters/user_vcpus "))
    #expect(parameter("KVM_SET_LENT_CPU").contains("parameters/user_lent_cpus "))
    #expect(parameter("KVM_SET_CPUID2").contains("parameters/user_lent_cpus "))
  }

  @Test("is named if it means nothing special")
  func other() {
    let error = meaning("KVM_CREATE_VM", .ioError)
    #expect(error == .call(KVMError(call: "KVM_CREATE_VM", errno: .ioError)))
    #expect("\(error)".hasPrefix("KVM_CREATE_VM: "))
  }
}
