// SPDX-License-Identifier: Apache-2.0
import Contract
import Glibc
import SystemPackage

/// An open `/dev/kvm` or `/dev/apus`.
public struct System: ~Copyable, Sendable {
  /// The path that was opened.
  public let path: String
  /// KVM_CHECK_EXTENSION(KVM_CAP_APUS): the Apus ABI's version, 0 on `/dev/kvm`.
  public let apusVersion: Int
  let owned: OwnedDescriptor

  /// KVM_GET_API_VERSION answers this on every kernel since 2.6.22.
  public static var apiVersion: Int { 12 }

  public init(path: String) throws(KVMError) {
    self.path = path
    let descriptor = open(path, O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw KVMError(call: "open", errno: Errno(rawValue: errno))
    }
    let owned = OwnedDescriptor(descriptor)
    let device = owned.descriptor
    let version = try calling("KVM_GET_API_VERSION") { () throws(Errno) in
      try SystemCall.ioctl(device, KVM_GET_API_VERSION_)
    }
    guard version == Self.apiVersion else {
      throw KVMError(call: "KVM_GET_API_VERSION", errno: .notSupported)
    }
    apusVersion = Int(
      (try? SystemCall.ioctl(device, KVM_CHECK_EXTENSION_, UInt(KVM_CAP_APUS))) ?? 0)
    self.owned = owned
  }

  /// KVM_CHECK_EXTENSION: 0 for what the device does not know.
  public func check(_ capability: Int32) -> Int {
    Int((try? SystemCall.ioctl(owned.descriptor, KVM_CHECK_EXTENSION_, UInt(capability))) ?? 0)
  }

  /// KVM_CAP_COALESCED_MMIO: where each vCPU's mapping has the ring, in bytes; nil: the device
  /// does not coalesce writes to ports.
  public var coalescedRingOffset: Int? {
    guard check(KVM_CAP_COALESCED_PIO) > 0 else { return nil }
    let page = check(KVM_CAP_COALESCED_MMIO)
    return page > 0 ? page * Int(APUS_PAGE_SIZE) : nil
  }

  /// KVM_GET_SUPPORTED_CPUID.
  public func supportedCPUID() throws(KVMError) -> [kvm_cpuid_entry2] {
    // KVM_MAX_CPUID_ENTRIES of the kernel.
    var table = CPUIDTable(capacity: 256)
    let descriptor = owned.descriptor
    try calling("KVM_GET_SUPPORTED_CPUID") { () throws(Errno) in
      try table.withPointer { pointer throws(Errno) in
        _ = try SystemCall.ioctl(descriptor, KVM_GET_SUPPORTED_CPUID_, UInt(bitPattern: pointer))
      }
    }
    return table.entries
  }

  /// KVM_CREATE_VM.
  public func createVirtualMachine() throws(KVMError) -> VirtualMachine {
    let descriptor = try calling("KVM_CREATE_VM") { () throws(Errno) in
      try SystemCall.ioctl(owned.descriptor, KVM_CREATE_VM_)
    }
    let size = try calling("KVM_GET_VCPU_MMAP_SIZE") { () throws(Errno) in
      try SystemCall.ioctl(owned.descriptor, KVM_GET_VCPU_MMAP_SIZE_)
    }
    return VirtualMachine(OwnedDescriptor(descriptor), runSize: Int(size))
  }

  /// APUS_GET_HOST: what the driver found out about this machine.
  public func host() throws(KVMError) -> apus_host {
    var host = apus_host()
    try calling("APUS_GET_HOST") { () throws(Errno) in
      _ = try SystemCall.ioctl(owned.descriptor, APUS_GET_HOST_, with: &host)
    }
    return host
  }

  /// APUS_RECLAIM_CPU: takes a lent CPU, by Linux's number, from the guest that has it, whose vCPU
  /// ends. ENODEV: it is not lent; EPERM: only root may.
  public func reclaim(cpu: Int) throws(KVMError) {
    try calling("APUS_RECLAIM_CPU") { () throws(Errno) in
      _ = try SystemCall.ioctl(owned.descriptor, APUS_RECLAIM_CPU_, UInt(cpu))
    }
  }

  /// APUS_GET_INTERRUPTS: how those of passed-through devices reach their guests, of this user's
  /// guests or, with CAP_SYS_ADMIN, of all.
  public func deviceInterrupts() throws(KVMError) -> [apus_interrupt] {
    var found: [apus_interrupt] = []
    var count = 0
    repeat {
      var some = apus_interrupts()
      some.first = UInt32(found.count)
      try calling("APUS_GET_INTERRUPTS") { () throws(Errno) in
        _ = try SystemCall.ioctl(owned.descriptor, APUS_GET_INTERRUPTS_, with: &some)
      }
      count = Int(min(some.count, UInt32(APUS_INTERRUPTS)))
      withUnsafeBytes(of: &some.interrupts) {
        found += $0.bindMemory(to: apus_interrupt.self).prefix(count)
      }
    } while count == Int(APUS_INTERRUPTS)
    return found
  }
}
