// SPDX-License-Identifier: Apache-2.0
import Contract
import SystemPackage

extension VirtualCPU {
  /// KVM_APUS_GET_STATISTICS. Only `/dev/apus`; from any thread.
  public func statistics() throws(KVMError) -> apus_statistics {
    var statistics = apus_statistics()
    let descriptor = owned.descriptor
    try calling("KVM_APUS_GET_STATISTICS") { () throws(Errno) in
      _ = try SystemCall.ioctl(descriptor, KVM_APUS_GET_STATISTICS_, with: &statistics)
    }
    return statistics
  }

  /// KVM_APUS_GET_LAST_EXITS: the newest exits, oldest first. Only `/dev/apus`.
  public func lastExits() throws(KVMError) -> [apus_last_exit] {
    var last = apus_last_exits()
    let descriptor = owned.descriptor
    try calling("KVM_APUS_GET_LAST_EXITS") { () throws(Errno) in
      _ = try SystemCall.ioctl(descriptor, KVM_APUS_GET_LAST_EXITS_, with: &last)
    }
    return withUnsafeBytes(of: last.exits) { bytes in
      let ring = bytes.bindMemory(to: apus_last_exit.self)
      let kept = min(last.count, UInt64(ring.count))
      return (last.count - kept..<last.count).map { ring[Int($0 % UInt64(ring.count))] }
    }
  }

  /// KVM_GET_STATS_FD: the kernel's own counters of this vCPU.
  public func openCounters() throws(KVMError) -> Counters {
    let descriptor = owned.descriptor
    let opened = try calling("KVM_GET_STATS_FD") { () throws(Errno) in
      try SystemCall.ioctl(descriptor, KVM_GET_STATS_FD_)
    }
    return try Counters(OwnedDescriptor(opened))
  }
}

/// KVM's binary statistics of one vCPU: named 64-bit numbers.
public struct Counters: ~Copyable, Sendable {
  let owned: OwnedDescriptor
  /// Name and offset in the file of every counter that is a single number.
  private let fields: [(name: String, offset: Int)]

  init(_ owned: consuming OwnedDescriptor) throws(KVMError) {
    let descriptor = owned.descriptor
    let header = try Self.read(descriptor, at: 0, count: MemoryLayout<kvm_stats_header>.size)
      .withUnsafeBytes { $0.loadUnaligned(as: kvm_stats_header.self) }
    let nameSize = Int(header.name_size)
    let stride = MemoryLayout<kvm_stats_desc>.size + nameSize
    let descriptions = try Self.read(
      descriptor, at: Int(header.desc_offset), count: stride * Int(header.num_desc))
    fields = descriptions.withUnsafeBytes { bytes in
      (0..<Int(header.num_desc)).compactMap { index in
        let start = index * stride
        let description = bytes.loadUnaligned(fromByteOffset: start, as: kvm_stats_desc.self)
        guard description.size == 1 else { return nil }
        let name = bytes[(start + stride - nameSize)..<(start + stride)].prefix { $0 != 0 }
        return (
          String(decoding: name, as: UTF8.self),
          Int(header.data_offset) + Int(description.offset)
        )
      }
    }
    self.owned = owned
  }

  /// Every counter's value now, by its name.
  public func values() throws(KVMError) -> [String: UInt64] {
    guard let first = fields.map(\.offset).min(), let last = fields.map(\.offset).max() else {
      return [:]
    }
    let data = try Self.read(owned.descriptor, at: first, count: last - first + 8)
    return data.withUnsafeBytes { bytes in
      let values = fields.map {
        ($0.name, bytes.loadUnaligned(fromByteOffset: $0.offset - first, as: UInt64.self))
      }
      return Dictionary(values, uniquingKeysWith: { first, _ in first })
    }
  }

  private static func read(
    _ descriptor: FileDescriptor, at offset: Int, count: Int
  ) throws(KVMError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let result: Swift.Result<Int, any Error> = bytes.withUnsafeMutableBytes { buffer in
      Swift.Result { try descriptor.read(fromAbsoluteOffset: Int64(offset), into: buffer) }
    }
    switch result {
    case .success(count): return bytes
    case .success: throw KVMError(call: "read of statistics", errno: .ioError)
    case .failure(let error):
      throw KVMError(call: "read of statistics", errno: error as? Errno ?? .ioError)
    }
  }
}
