// SPDX-License-Identifier: Apache-2.0
import Contract

/// What an exit leads to.
enum Outcome {
  /// Back into the guest.
  case resume
  /// KVM_RUN returns 0: `kvm_run` says what is asked of the client. Or APUS_RUN_PAGE, where `isPageMissing`.
  case client
}

extension VirtualCPU {
  @inline(__always)
  func count(_ cause: apus_exit) {
    unsafe withUnsafeMutableBytes(of: &control.statistics.exits) {
      unsafe $0.assumingMemoryBound(to: UInt64.self)[Int(cause.rawValue & 31)] &+= 1
    }
  }
}
