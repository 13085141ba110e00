// SPDX-License-Identifier: Apache-2.0
import Glibc
import HostileCalls

/// Each request once, with an argument of zeros, on a VM of its own.
struct Requests {
  let device: Int32
  private static let room = 65536

  func show() {
    for request in list(hostile_device_requests) { show(request, on: device) }
    for request in list(hostile_machine_requests) {
      guard let machine = Machine(device, isComplete: !creates(request)) else { continue }
      show(request, on: machine.machine)
      machine.close()
    }
    for request in list(hostile_processor_requests) where name(request) != "KVM_RUN" {
      guard let machine = Machine(device) else { continue }
      show(request, on: machine.processor)
      machine.close()
    }
  }

  private func list(_ requests: hostile_requests) -> [hostile_request] {
    Array(UnsafeBufferPointer(start: requests.first, count: requests.count))
  }
  private func name(_ request: hostile_request) -> String { String(cString: request.name) }

  /// What a complete VM has already.
  private func creates(_ request: hostile_request) -> Bool {
    ["KVM_CREATE_IRQCHIP", "KVM_CREATE_PIT", "KVM_CREATE_PIT2"].contains(name(request))
  }

  private func show(_ request: hostile_request, on descriptor: Int32) {
    var bytes = [UInt64](repeating: 0, count: Self.room / 8)
    let answer = bytes.withUnsafeMutableBytes {
      hostile_ioctl(
        descriptor, request.number, request.argument == HOSTILE_NUMBER ? 0 : address($0))
    }
    // A descriptor's number says nothing.
    let isDescriptor =
      answer >= 0
      && ["KVM_CREATE_VM", "KVM_CREATE_VCPU", "KVM_GET_STATS_FD"].contains(name(request))
    print("ioctl \(name(request)) \(isDescriptor ? 0 : answer)")
    if isDescriptor { close(answer) }
  }
}
