// SPDX-License-Identifier: Apache-2.0
import Contract
import Devices
import X86

/// Devices in guest-physical memory that the monitor serves.
enum LocalDevice {
  case ioapic, localAPIC
  /// The page of a local APIC that is not in xAPIC mode: ones, and what is written is lost.
  case hole
}

extension VirtualCPU {
  /// The device at a guest-physical address; nil: the client's.
  @inline(__always)
  func localDevice(at address: GuestPhysical) -> LocalDevice? {
    let page = address.page.rawValue
    if page == IOAPIC.address, hasControllers { return .ioapic }
    if page == state.apic.base.address, vm.irqchip != APUS_IRQCHIP_NONE {
      return state.apic.base.isEnabled && !state.apic.base.isX2APIC ? .localAPIC : hole
    }
    return nil
  }

  /// KVM_X86_QUIRK_LAPIC_MMIO_HOLE. Without it the page is the client's.
  @inline(never)
  private var hole: LocalDevice? {
    vm.disabled_quirks & UInt32(KVM_X86_QUIRK_LAPIC_MMIO_HOLE) == 0 ? .hole : nil
  }

  /// Registers are 32 bits wide at multiples of 16 bytes; what lies between reads as zero.
  func read(_ device: LocalDevice, _ address: GuestPhysical) -> UInt64 {
    count(APUS_EXIT_MMIO)
    let offset = address.offsetInPage
    guard offset & 0xc == 0 else { return 0 }
    let value =
      switch device {
      case .ioapic: withMachine { $0.controllers.ioapic.read(offset: offset & ~3) }
      case .localAPIC:
        readXAPICPage(APICRegister(rawValue: UInt8(truncatingIfNeeded: offset >> 4)))
      case .hole: UInt32.max
      }
    return UInt64(value) >> ((offset & 3) * 8)
  }

  func write(_ device: LocalDevice, _ address: GuestPhysical, _ value: UInt64) {
    count(APUS_EXIT_MMIO)
    let offset = address.offsetInPage
    guard offset & 0xf == 0 else { return }
    let value = UInt32(truncatingIfNeeded: value)
    switch device {
    case .ioapic:
      if IOAPIC.mayChangeRoutes(offset: offset) {
        changeControllers { $0.writeIOAPIC(offset: offset, value) }
      } else {
        withMachine { _ = $0.controllers.ioapic.write(offset: offset, value) }
      }
    case .localAPIC:
      writeXAPIC(APICRegister(rawValue: UInt8(truncatingIfNeeded: offset >> 4)), value)
    case .hole: break
    }
  }

  private func readXAPICPage(_ register: APICRegister) -> UInt32 {
    if let value = readXAPIC(register) { return value }
    note(APICError.illegalRegister)
    return 0
  }

  /// A register of the xAPIC page; nil where there is none. SDM vol. 3, table 11-1.
  func readXAPIC(_ register: APICRegister) -> UInt32? {
    switch register {
    case .id: state.apic.id << 24
    case .logicalDestination: state.apic.logicalDestination
    case .destinationFormat: state.apic.destinationFormat
    case .interruptCommand: state.apic.commandLow
    case .interruptCommandHigh: state.apic.commandHigh
    case .selfInterrupt: nil
    default: readCommon(register)
    }
  }

  /// What cannot be written, or must not be, stays as it is: the page raises no fault.
  func writeXAPIC(_ register: APICRegister, _ value: UInt32) {
    switch register {
    case .id, .selfInterrupt: break
    case .logicalDestination:
      state.apic.logicalDestination = value & 0xff00_0000
      publishAPIC()
      updateLines()
    case .destinationFormat:
      state.apic.destinationFormat = value | 0x0fff_ffff
      publishAPIC()
      updateLines()
    case .interruptCommandHigh: state.apic.commandHigh = value & 0xff00_0000
    case .interruptCommand:
      // Delivery status reads as idle.
      state.apic.commandLow = value & ~(1 << 12)
      _ = send(
        InterruptCommand(rawValue: UInt64(state.apic.commandHigh >> 24) << 32 | UInt64(value)))
    case .taskPriority: _ = writeCommon(register, value & 0xff)
    default: _ = writeCommon(register, value)
    }
  }
}
