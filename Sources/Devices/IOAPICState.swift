// SPDX-License-Identifier: Apache-2.0
// The I/O APIC as KVM_GET_IRQCHIP and KVM_SET_IRQCHIP carry it.
import Contract

extension IOAPIC {
  /// The offset of `redirtbl` in bytes. Swift imports the structure in its full size but not this
  /// member, an array of unions: 24 values of 64 bits.
  private static let tableOffset = 24

  /// KVM_IRQCHIP_IOAPIC. Its `irr` has the pins with something to deliver once they are unmasked
  /// and answered: asserted levels and edges that wait. Any value is accepted.
  public var state: kvm_ioapic_state {
    mutating get {
      var state = kvm_ioapic_state()
      state.base_address = Self.address
      state.ioregsel = UInt32(select)
      state.id = UInt32(identifier)
      state.irr = edges | (lines & levelPins)
      unsafe withUnsafeMutableBytes(of: &state) { bytes in
        for pin in 0..<Self.pins {
          let offset = Self.tableOffset + pin * 8
          unsafe bytes.storeBytes(of: value(pin: pin), toByteOffset: offset, as: UInt64.self)
        }
      }
      return state
    }
    set {
      select = UInt8(truncatingIfNeeded: newValue.ioregsel)
      identifier = UInt8(truncatingIfNeeded: newValue.id) & 0xf
      let pending = newValue.irr & 0xff_ffff
      remoteIRR = 0
      unsafe withUnsafeBytes(of: newValue) { bytes in
        for pin in 0..<Self.pins {
          let offset = Self.tableOffset + pin * 8
          let bits = unsafe bytes.load(fromByteOffset: offset, as: UInt64.self)
          setEntry(IOAPICEntry(bits), pin: pin)
          if bits & IOAPICEntry.remoteIRR != 0 {
            remoteIRR |= levelPins & 1 << UInt32(truncatingIfNeeded: pin)
          }
        }
      }
      lines = pending & levelPins
      edges = pending & ~levelPins
    }
  }
}
