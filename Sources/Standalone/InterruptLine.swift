// SPDX-License-Identifier: Apache-2.0
import Contract

/// KVM_IRQ_LINE as the driver carries it out: apus.h, "How an interrupt line reaches the guest".
extension VirtualCPU {
  func setLine(_ line: Int, high: Bool) throws(Failure) {
    let bit: UInt32 = 1 << UInt32(line)
    let vm = unsafe machine.control
    if high {
      _ = unsafe fetchOr(&vm.pointee.line_levels, bit)
    } else {
      _ = unsafe fetchAnd(&vm.pointee.line_levels, ~bit)
    }
    let route = route(of: line)
    if route & APUS_ROUTE_DIRECT_ != 0 {
      guard high else { return }
      LocalAPIC.send(
        vector: UInt8(truncatingIfNeeded: route),
        to: UInt32(truncatingIfNeeded: route >> 8))
      return
    }
    if high { _ = unsafe fetchOr(&vm.pointee.line_edges, bit) }
    if route & APUS_ROUTE_MASKED_ == 0 { try request(APUS_REQUEST_LINES) }
  }

  func route(of line: Int) -> UInt64 {
    unsafe withUnsafeMutablePointer(to: &machine.control.pointee.line_routes) {
      unsafe loadAcquire(
        UnsafeRawPointer($0).assumingMemoryBound(to: UInt64.self) + line)
    }
  }
}
