// SPDX-License-Identifier: Apache-2.0
import Contract

/// KVM_IOEVENTFD: a write that only signals an eventfd. The driver signals it, and the guest goes on.
extension VirtualCPU {
  /// A write to a device of the client that KVM_RUN does not have to end for.
  func sendsOn(_ space: Zones.Space, _ address: UInt64, _ value: UInt64, size: UInt8) -> Bool {
    notify(space, address, value, size: size) || coalesce(space, address, value, size: size)
  }

  /// False if no eventfd waits for this write. The bytes of `value` beyond `size` do not count.
  func notify(_ space: Zones.Space, _ address: UInt64, _ value: UInt64, size: UInt8) -> Bool {
    let write = DeviceWrite(space: space, address: address, value: value, size: size)
    // A client that changes its eventfds without end must not keep this CPU in root mode.
    for _ in 0..<4 {
      let generation = unsafe loadAcquire(&pages.vm.pointee.notifications_generation)
      let number = unsafe NotificationTable(pages, generation).number(of: write)
      if let number, signal(number) { ringForClient() }
      if unsafe loadAcquire(&pages.vm.pointee.notifications_generation) == generation {
        if number != nil { count(APUS_EXIT_NOTIFICATION) }
        return number != nil
      }
    }
    return false
  }

  /// True if the driver has to be told: it has taken what was set before. A full barrier, which pairs
  /// with the driver's between the generation and its look at these words.
  private func signal(_ number: UInt16) -> Bool {
    let bit: UInt32 = 1 << UInt32(number & 31)
    let old = unsafe withUnsafeMutablePointer(to: &pages.vm.pointee.notified) { words in
      let words = unsafe UnsafeMutableRawPointer(words).assumingMemoryBound(to: UInt32.self)
      return unsafe fetchOr(words + Int(number >> 5 & 7), bit)
    }
    return old & bit == 0
  }
}

/// A guest's write to a port or an address that is no memory.
struct DeviceWrite {
  var space: Zones.Space
  var address: UInt64
  var value: UInt64
  var size: UInt8

  /// The bytes that are written.
  var data: UInt64 { size < 8 ? value & ((1 << (UInt64(size) * 8)) - 1) : value }
}

/// One of the two tables of struct apus_notification, which the driver may be changing: what is found
/// counts only if the generation is the same afterwards.
@unsafe struct NotificationTable {
  private let first: UnsafeMutablePointer<apus_notification>
  private let count: Int

  init(_ pages: VirtualCPUPages, _ generation: UInt32) {
    let table = generation & 1
    let counts = unsafe pages.vm.pointee.notification_counts
    unsafe first = pages.notifications(table)
    unsafe count = Int(min(table == 0 ? counts.0 : counts.1, APUS_NOTIFICATIONS))
  }

  /// The number of the notification that `write` is.
  func number(of write: DeviceWrite) -> UInt16? {
    var index = unsafe start(of: write)
    while unsafe index < count {
      let entry = unsafe first[index]
      guard entry.address == write.address, entry.space == write.space else { return nil }
      if entry.matches(write) { return entry.number }
      index += 1
    }
    return nil
  }

  /// The first entry of the write's address or behind it.
  private func start(of write: DeviceWrite) -> Int {
    var low = 0
    var high = unsafe count
    while low < high {
      let middle = (low + high) / 2
      if unsafe first[middle].precedes(write) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension apus_notification {
  fileprivate var space: Zones.Space {
    flags & UInt8(APUS_NOTIFICATION_PIO) != 0 ? .ports : .memory
  }

  /// Ports come before memory, and then low addresses before high ones.
  fileprivate func precedes(_ write: DeviceWrite) -> Bool {
    space == write.space ? address < write.address : space == .ports
  }

  fileprivate func matches(_ write: DeviceWrite) -> Bool {
    if size != 0, size != write.size { return false }
    return flags & UInt8(APUS_NOTIFICATION_DATA) == 0 || data == write.data
  }
}
