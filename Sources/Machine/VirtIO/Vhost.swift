// SPDX-License-Identifier: Apache-2.0
import KVM
import LinuxCalls
import SystemPackage

/// A device whose queues the kernel serves: linux/vhost.h. No thread of this process takes part.
final class Vhost: Sendable {
  let path: String
  private let descriptor: FileDescriptor
  /// What the kernel can do with queues.
  let features: UInt64

  /// `module` is what provides the file.
  init(_ path: String, module: String) throws(VirtualDeviceError) {
    self.path = path
    do {
      descriptor = try FileDescriptor.open(FilePath(path), .readWrite, options: .closeOnExec)
    } catch {
      let error = error as? Errno ?? .ioError
      let isMissing = [
        .noSuchFileOrDirectory, .noSuchAddressOrDevice, .operationNotSupportedByDevice,
      ]
      .contains(error)
      throw isMissing ? .noModule(path: path, module: module) : .hostFile(path: path, error)
    }
    var features: UInt64 = 0
    do {
      try SystemCall.ioctl(descriptor, VHOST_SET_OWNER_)
      try SystemCall.ioctl(descriptor, VHOST_GET_FEATURES_, with: &features)
    } catch {
      try? descriptor.close()
      throw .hostFile(path: path, error)
    }
    self.features = features
  }

  deinit { try? descriptor.close() }

  /// Hands memory and queues over. The kernel serves them once the device's own request says so.
  func prepare(
    _ queues: [ReadyQueue], features: UInt64, memory: GuestMemory
  ) throws(VirtIOStartError) {
    do {
      var features = features
      try call(VHOST_SET_FEATURES_, with: &features)
      try setMemory(memory)
    } catch {
      throw .host("\(path): \(error)")
    }
    for (index, queue) in queues.enumerated() {
      try prepare(queue, index: UInt32(index), memory: memory)
    }
  }

  /// struct vhost_memory: a count, padding, and that many regions.
  private func setMemory(_ memory: GuestMemory) throws(Errno) {
    var words: [UInt64] = [UInt64(memory.regions.count)]
    for region in memory.regions {
      words += [region.guest.lowerBound, UInt64(region.guest.count)]
      words += [UInt64(UInt(bitPattern: region.host)), 0]
    }
    let descriptor = descriptor
    try words.withUnsafeMutableBufferPointer { buffer throws(Errno) in
      _ = try SystemCall.ioctl(
        descriptor, VHOST_SET_MEM_TABLE_, UInt(bitPattern: buffer.baseAddress))
    }
  }

  private func prepare(
    _ queue: ReadyQueue, index: UInt32, memory: GuestMemory
  ) throws(VirtIOStartError) {
    let layout = queue.layout
    do {
      _ = try VirtQueue(layout, in: memory)
    } catch {
      throw .guest(error)
    }
    func address(_ guest: UInt64) -> UInt64 {
      UInt64(UInt(bitPattern: memory.bytes(at: guest, size: 1)?.baseAddress))
    }
    do {
      var state = vhost_vring_state(index: index, num: UInt32(layout.size))
      try call(VHOST_SET_VRING_NUM_, with: &state)
      state.num = 0
      try call(VHOST_SET_VRING_BASE_, with: &state)
      var place = vhost_vring_addr()
      place.index = index
      place.desc_user_addr = address(layout.descriptors)
      place.avail_user_addr = address(layout.available)
      place.used_user_addr = address(layout.used)
      try call(VHOST_SET_VRING_ADDR_, with: &place)
      var file = vhost_vring_file(
        index: index, fd: queue.notification.descriptor.rawValue)
      try call(VHOST_SET_VRING_KICK_, with: &file)
      file.fd = queue.interrupt?.descriptor.rawValue ?? -1
      try call(VHOST_SET_VRING_CALL_, with: &file)
    } catch {
      throw .host("\(path): \(error)")
    }
  }

  func call<Value>(_ request: UInt32, with value: inout Value) throws(Errno) {
    try SystemCall.ioctl(descriptor, request, with: &value)
  }
}
