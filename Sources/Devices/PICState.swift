// SPDX-License-Identifier: Apache-2.0
// The interrupt controllers as KVM_GET_IRQCHIP and KVM_SET_IRQCHIP carry them.
import Contract

extension PIC {
  /// KVM_IRQCHIP_PIC_MASTER.
  public var masterState: kvm_pic_state {
    get { master.state }
    set {
      master.state = newValue
      updateCascade()
    }
  }

  /// KVM_IRQCHIP_PIC_SLAVE.
  public var slaveState: kvm_pic_state {
    get { slave.state }
    set {
      slave.state = newValue
      updateCascade()
    }
  }
}

extension PICChip {
  /// Any value is accepted: what the 8259A cannot hold is masked off. `elcr_mask` is reported only.
  var state: kvm_pic_state {
    get {
      var state = kvm_pic_state()
      state.last_irr = lines
      state.irr = requests
      state.imr = masked
      state.isr = inService
      state.priority_add = highest
      state.irq_base = vectorBase
      state.read_reg_select = readsInService ? 1 : 0
      state.poll = polls ? 1 : 0
      state.special_mask = usesSpecialMask ? 1 : 0
      state.init_state = initialisation.rawValue
      state.auto_eoi = automaticEOI ? 1 : 0
      state.rotate_on_auto_eoi = rotatesOnAutomaticEOI ? 1 : 0
      state.special_fully_nested_mode = specialFullyNested ? 1 : 0
      state.init4 = expectsICW4 ? 1 : 0
      state.elcr = levelTriggered
      state.elcr_mask = configurableLines
      return state
    }
    set {
      lines = newValue.last_irr
      requests = newValue.irr
      masked = newValue.imr
      inService = newValue.isr
      highest = newValue.priority_add & 7
      vectorBase = newValue.irq_base & 0xf8
      readsInService = newValue.read_reg_select != 0
      polls = newValue.poll != 0
      usesSpecialMask = newValue.special_mask != 0
      initialisation = Initialisation(rawValue: newValue.init_state & 3) ?? .complete
      automaticEOI = newValue.auto_eoi != 0
      rotatesOnAutomaticEOI = newValue.rotate_on_auto_eoi != 0
      specialFullyNested = newValue.special_fully_nested_mode != 0
      expectsICW4 = newValue.init4 != 0
      levelTriggered = newValue.elcr & configurableLines
    }
  }
}
