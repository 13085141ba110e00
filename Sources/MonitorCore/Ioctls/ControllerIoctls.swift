// SPDX-License-Identifier: Apache-2.0
import Contract
import Devices
import X86

/// KVM_GET_IRQCHIP, KVM_SET_IRQCHIP, KVM_GET_PIT2 and KVM_SET_PIT2.
extension VirtualCPU {
  /// struct kvm_irqchip: an identifier, padding, and 512 bytes for the controller's state.
  private static var controllerState: Int { 8 }

  func getInterruptController() -> Int64 {
    let number = unsafe pages.payload.load(as: UInt32.self)
    let target = unsafe pages.payload + Self.controllerState
    guard hasControllers else { return -ENXIO_ }
    // What rose before belongs to this state: to set it later drops edges of before.
    updateLines()
    return withMachine { machine -> Int64 in
      switch Int32(truncatingIfNeeded: number) {
      case Int32(KVM_IRQCHIP_PIC_MASTER):
        unsafe target.storeBytes(of: machine.controllers.pic.masterState, as: kvm_pic_state.self)
      case Int32(KVM_IRQCHIP_PIC_SLAVE):
        unsafe target.storeBytes(of: machine.controllers.pic.slaveState, as: kvm_pic_state.self)
      case Int32(KVM_IRQCHIP_IOAPIC):
        unsafe target.storeBytes(of: machine.controllers.ioapic.state, as: kvm_ioapic_state.self)
      default: return -EINVAL_
      }
      return 0
    }
  }

  func setInterruptController() -> Int64 {
    let number = unsafe pages.payload.load(as: UInt32.self)
    let source = unsafe pages.payload + Self.controllerState
    guard hasControllers else { return -ENXIO_ }
    let result = withMachine { machine -> Int64 in
      switch Int32(truncatingIfNeeded: number) {
      case Int32(KVM_IRQCHIP_PIC_MASTER):
        machine.controllers.pic.masterState = unsafe source.load(as: kvm_pic_state.self)
      case Int32(KVM_IRQCHIP_PIC_SLAVE):
        machine.controllers.pic.slaveState = unsafe source.load(as: kvm_pic_state.self)
      case Int32(KVM_IRQCHIP_IOAPIC):
        machine.controllers.ioapic.state = unsafe source.load(as: kvm_ioapic_state.self)
      default: return -EINVAL_
      }
      return 0
    }
    if result == 0 {
      adoptLevels()
      updateLines()
    }
    return result
  }

  /// The lines are as the controllers' new state has them: what the client's devices did before belongs
  /// to another state. The driver takes them over from here.
  private func adoptLevels() {
    let levels = withMachine { machine -> LineSet in
      machine.controllers.adoptLevels()
      return machine.controllers.levels
    }
    unsafe storeRelease(&pages.vm.pointee.line_levels, levels)
    _ = unsafe exchange(&pages.vm.pointee.line_edges, 0)
  }

  func getTimer() -> Int64 {
    guard vm.pit != 0 else { return -ENXIO_ }
    let now = pitNow
    return reply(withMachine { $0.pit.state(now: now) })
  }

  func setTimer(_ state: kvm_pit_state2) -> Int64 {
    guard vm.pit != 0 else { return -ENXIO_ }
    let now = pitNow
    withMachine { $0.pit.setState(state, now: now) }
    publishTimer()
    return 0
  }
}
