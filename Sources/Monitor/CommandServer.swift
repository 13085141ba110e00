// SPDX-License-Identifier: Apache-2.0
import Contract
import Entry
import MonitorCore
import X86

/// Takes the driver's commands from the mailbox, one after the other, until it is to leave.
struct CommandServer<Host: VirtualizationHost> {
  private typealias BoundCPU = VirtualCPU<Host.Unit, HardwareProcessor<Host>>

  private let cpu: LentCPU
  private let processor = HardwareProcessor<Host>()

  init(_ cpu: LentCPU) { self.cpu = cpu }

  func run() {
    var vcpu: BoundCPU? = nil
    var served = cpu.mailbox.done_sequence
    while true {
      let wanted = awaitCommand(after: served)
      let command = apus_command(rawValue: cpu.mailbox.command)
      cpu.mailbox.result = serve(command, &vcpu)
      served = wanted
      // C7 and C8 lie in `serve`. C9, with the barrier that pairs with the driver's between `watching` and its last look.
      _ = unsafe exchange(&cpu.mailbox.done_sequence, served)
      if unsafe loadAcquire(&cpu.mailbox.watching) == 0 { cpu.ringDoorbell() }  // C10
      if command == APUS_COMMAND_PARK { return }
    }
  }

  /// The sequence of the next command. The mailbox is looked at for a while before the CPU sleeps:
  /// the client answers an exit within that time mostly, and then neither an NMI nor a wake-up is
  /// in the way.
  private func awaitCommand(after served: UInt32) -> UInt32 {
    let start = processor.timestamp()
    let window = UInt64(cpu.mailbox.attention_us) * UInt64(cpu.mailbox.tsc_khz) / 1000
    // The steps of docs/model. C1.
    unsafe storeRelease(&cpu.mailbox.awake, 1)
    while processor.timestamp() &- start < window {
      // C2
      let wanted = sequence
      if wanted != served { return wanted }
      processor.pause()
    }
    while true {
      // C3, C4: read the count, say that this CPU sleeps. C5: look once more.
      let nmis = processor.nmiCount
      _ = unsafe exchange(&cpu.mailbox.awake, 0)
      let wanted = sequence
      if wanted != served { return wanted }
      // C6
      processor.sleep(unlessNMISince: nmis)
    }
  }

  private var sequence: UInt32 { unsafe loadAcquire(&cpu.mailbox.command_sequence) }

  private func serve(_ command: apus_command, _ vcpu: inout BoundCPU?) -> Int64 {
    let argument = cpu.mailbox.argument
    switch command {
    case APUS_COMMAND_BIND:
      guard vcpu == nil else { return -EBUSY_ }
      vcpu = bind(vcpu: HostPhysical(argument.0), vm: HostPhysical(argument.1))
      return 0
    case APUS_COMMAND_UNBIND, APUS_COMMAND_PARK:
      vcpu?.unbind()
      vcpu = nil
      Window.unmap(from: APUS_WINDOW_VCPU, to: APUS_WINDOW_PAGES)
      return 0
    default:
      guard let vcpu else { return -ENXIO_ }
      switch command {
      case APUS_COMMAND_VCPU:
        return vcpu.perform(
          UInt32(truncatingIfNeeded: argument.0), size: Int(min(argument.1, 0x4000)))
      case APUS_COMMAND_VM: return vcpu.performOnMachine(UInt32(truncatingIfNeeded: argument.0))
      case APUS_COMMAND_RUN:
        return vcpu.runGuest(apus_page_answer(UInt32(truncatingIfNeeded: argument.0)))
      default: return -EINVAL_
      }
    }
  }

  private func bind(vcpu: HostPhysical, vm: HostPhysical) -> BoundCPU {
    let area = unsafe Window.map(vcpu, at: APUS_WINDOW_VCPU, count: APUS_VCPU_PAGES)
    _ = unsafe Window.map(vm, at: APUS_WINDOW_VM, count: APUS_VM_PAGES)
    let bound = unsafe BoundCPU(VirtualCPUPages(vcpuArea: area))
    Host.attach(bound.unit)
    bound.bind()
    return bound
  }
}
