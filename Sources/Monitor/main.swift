// SPDX-License-Identifier: Apache-2.0
import Contract
import Entry
import MonitorCore
import X86

/// A lent CPU's whole life, from the trampoline to the HLT from which an INIT gives it back to
/// Linux. `mailbox` is struct apus_cpu.
@c(monitor_main)
func monitorMain(_ mailbox: UnsafeMutablePointer<apus_cpu>) {
  let cpu = unsafe ArrivedCPU(mailbox).proceed()
  if let refusal = cpu.refusal {
    cpu.refuse(refusal)
  } else if SVMHost.isOffered {
    serve(cpu, with: SVMHost.self)
  } else {
    serve(cpu, with: VMXHost.self)
  }
}

/// From here on the vendor is known at compile time.
private func serve<Host: VirtualizationHost>(_ cpu: consuming IdleCPU, with host: Host.Type) {
  if let refusal = host.refusal {
    cpu.refuse(refusal)
  } else {
    cpu.takeOver(by: host).serve().giveBack()
  }
}

/// An exception in root mode is a mistake of the monitor: the CPU stops and says where.
@c(monitor_fault)
func monitorFault(_ frame: UnsafePointer<exception_frame>) {
  let frame = unsafe frame.pointee
  LentCPU.current.stop(
    apus_fault(
      vector: frame.vector, error: frame.error, rip: frame.rip, rsp: frame.rsp, cr2: readCR2(),
      rflags: frame.rflags))
}
