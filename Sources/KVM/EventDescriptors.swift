// SPDX-License-Identifier: Apache-2.0
import Contract
import SystemPackage

/// Eventfds between a virtual machine and whoever emulates its devices: no thread of a vCPU takes part.
extension VirtualMachine {
  /// KVM_IOEVENTFD: a write of `size` bytes (1, 2, 4 or 8) to `address`, whatever its value, signals
  /// `event` and goes nowhere else.
  public func signal(
    _ event: FileDescriptor, atWritesTo address: UInt64, size: UInt32
  ) throws(KVMError) {
    var request = kvm_ioeventfd()
    request.addr = address
    request.len = size
    request.fd = event.rawValue
    try calling("KVM_IOEVENTFD") { () throws(Errno) in
      _ = try SystemCall.ioctl(owned.descriptor, KVM_IOEVENTFD_, with: &request)
    }
  }

  /// KVM_IRQFD: each signal of `event` is an edge on `line`. One that waits already is one too.
  public func connect(_ event: FileDescriptor, toLine line: UInt32) throws(KVMError) {
    try changeConnection(of: event, toLine: line, flags: 0)
  }

  /// KVM_IRQFD with KVM_IRQFD_FLAG_DEASSIGN: signals wait in the eventfd from now on.
  public func disconnect(_ event: FileDescriptor, fromLine line: UInt32) throws(KVMError) {
    try changeConnection(of: event, toLine: line, flags: 1)
  }

  private func changeConnection(
    of event: FileDescriptor, toLine line: UInt32, flags: UInt32
  ) throws(KVMError) {
    var request = kvm_irqfd()
    request.fd = UInt32(event.rawValue)
    request.gsi = line
    request.flags = flags
    try calling("KVM_IRQFD") { () throws(Errno) in
      _ = try SystemCall.ioctl(owned.descriptor, KVM_IRQFD_, with: &request)
    }
  }
}
