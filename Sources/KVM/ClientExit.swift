// SPDX-License-Identifier: Apache-2.0
import Contract

/// Why KVM_RUN came back. linux/kvm.h, `struct kvm_run`.
public enum ClientExit: Sendable {
  /// A signal, or `requestExit`.
  case interrupted
  /// KVM_EXIT_IO. `data` holds `count` items of `size` bytes, in the shared area: input is to be
  /// written there, output to be read.
  case port(PortRequest)
  /// KVM_EXIT_MMIO.
  case memory(MemoryRequest)
  /// KVM_EXIT_HLT: nothing in the kernel will wake the guest.
  case halted
  /// KVM_EXIT_SHUTDOWN: a triple fault.
  case shutdown
  /// KVM_EXIT_FAIL_ENTRY: the processor refused the guest's state; its own reason.
  case entryRefused(reason: UInt64)
  /// KVM_EXIT_INTERNAL_ERROR: suberror and its data.
  case internalError(suberror: UInt32, data: [UInt64])
  /// KVM_EXIT_SYSTEM_EVENT: KVM_SYSTEM_EVENT_*.
  case systemEvent(type: UInt32)
  /// Any other reason: its number.
  case other(UInt32)

  init(_ run: UnsafeMutablePointer<kvm_run>) {
    switch Int32(run.pointee.exit_reason) {
    case KVM_EXIT_INTR: self = .interrupted
    case KVM_EXIT_IO: self = .port(PortRequest(run))
    case KVM_EXIT_MMIO: self = .memory(MemoryRequest(run))
    case KVM_EXIT_HLT: self = .halted
    case KVM_EXIT_SHUTDOWN: self = .shutdown
    case KVM_EXIT_FAIL_ENTRY:
      self = .entryRefused(reason: run.pointee.fail_entry.hardware_entry_failure_reason)
    case KVM_EXIT_INTERNAL_ERROR:
      let error = run.pointee.internal
      let count = min(Int(error.ndata), 16)
      self = withUnsafeBytes(of: error.data) { bytes in
        let words = bytes.bindMemory(to: UInt64.self)
        return .internalError(suberror: error.suberror, data: Array(words.prefix(count)))
      }
    case KVM_EXIT_SYSTEM_EVENT: self = .systemEvent(type: run.pointee.system_event.type)
    default: self = .other(run.pointee.exit_reason)
    }
  }
}

/// One IN, OUT, INS or OUTS of the guest.
public struct PortRequest: @unchecked Sendable {
  public let port: UInt16
  /// Bytes of one item: 1, 2 or 4.
  public let size: Int
  public let count: Int
  public let isWrite: Bool
  /// `size * count` bytes. Valid until the next KVM_RUN.
  public let data: UnsafeMutableRawBufferPointer

  init(_ run: UnsafeMutablePointer<kvm_run>) {
    let access = run.pointee.io
    port = access.port
    size = Int(access.size)
    count = Int(access.count)
    isWrite = access.direction == UInt8(KVM_EXIT_IO_OUT)
    data = UnsafeMutableRawBufferPointer(
      start: UnsafeMutableRawPointer(run) + Int(access.data_offset), count: size * count)
  }
}

/// One access of the guest to an address without memory.
public struct MemoryRequest: @unchecked Sendable {
  public let address: UInt64
  public let isWrite: Bool
  /// 1 to 8 bytes. Valid until the next KVM_RUN.
  public let data: UnsafeMutableRawBufferPointer

  init(_ run: UnsafeMutablePointer<kvm_run>) {
    let access = run.pointee.mmio
    address = access.phys_addr
    isWrite = access.is_write != 0
    // The union of kvm_run begins at byte 32; `data` is its second field, after phys_addr.
    let start = UnsafeMutableRawPointer(run) + 32 + MemoryLayout<UInt64>.size
    data = UnsafeMutableRawBufferPointer(start: start, count: min(Int(access.len), 8))
  }
}
