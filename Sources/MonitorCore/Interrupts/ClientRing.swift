// SPDX-License-Identifier: Apache-2.0

/// Has the driver tell the client what its guest did while KVM_RUN goes on.
extension VirtualCPU {
  /// Each ring is an interrupt of a host CPU: the VM's vCPUs together have one in 10 µs.
  @inline(never)
  func ringForClient() {
    let now = processor.timestamp()
    let interval = shortestPeriod / 20
    let moment = withMachine { $0.notificationPace.next(now: now, interval: interval) }
    while processor.timestamp() < moment { processor.pause() }
    processor.ringDoorbell()
  }
}
