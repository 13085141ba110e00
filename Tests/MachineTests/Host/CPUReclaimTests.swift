// SPDX-License-Identifier: Apache-2.0
import Glibc
import KVM
import SystemPackage
import Testing

@testable import Machine

@Suite("Taking a CPU back")
struct CPUReclaimTests {
  private func error(_ call: String, _ errno: Int32) -> ReclaimError {
    ReclaimError(
      KVMError(call: call, errno: Errno(rawValue: errno)), cpu: 3, device: "/dev/apus")
  }

  @Test("Each refusal says what to do")
  func refusals() {
    #expect(error("APUS_RECLAIM_CPU", ENODEV) == .notLent(cpu: 3))
    #expect(error("APUS_RECLAIM_CPU", ENODEV).description.contains("apus check"))
    #expect(error("APUS_RECLAIM_CPU", EPERM) == .noPermission)
    #expect(error("open", EACCES) == .noPermission)
    #expect(error("open", ENOENT).description.contains("modprobe apus"))
    #expect(error("APUS_RECLAIM_CPU", EINTR).description.contains("APUS_RECLAIM_CPU"))
  }

  @Test("A device that is none is named")
  func device() {
    #expect(throws: ReclaimError.noDriver(device: "/dev/none-of-these")) {
      try CPUReclaim.take(3, device: "/dev/none-of-these")
    }
  }
}
