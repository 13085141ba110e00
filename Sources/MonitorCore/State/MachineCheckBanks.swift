// SPDX-License-Identifier: Apache-2.0
import Contract
import X86

/// The guest's machine-check registers, in a page of the vCPU area of their own: the client says how
/// many banks there are, and reports errors in them. SDM vol. 3, 16.3.
struct MachineCheckBanks {
  /// IA32_MCG_CAP.
  private(set) var capability: UInt64
  /// IA32_MCG_STATUS.
  private var status: UInt64 = 0
  /// IA32_MCG_CTL.
  private var control: UInt64 = 0
  /// Control, status, address and more of each bank.
  private var words = InlineArray<128, UInt64>(repeating: 0)

  /// As KVM has it before KVM_X86_SETUP_MCE: all banks, and nothing enabled.
  init() { capability = UInt64(APUS_MACHINE_CHECK_BANKS) }

  private var banks: Int { Int(capability & 0xff) }
  private var hasControl: Bool { capability & Self.controlPresent != 0 }

  private static var controlPresent: UInt64 { 1 << 8 }
  private static var recoveryPresent: UInt64 { 1 << 24 }

  /// KVM_X86_SETUP_MCE. False: more than there is.
  mutating func setUp(_ wanted: UInt64) -> Bool {
    // The number of banks, and bits 16 to 23 of extended state, which no vendor's guest looks at.
    let known = 0xff | 0xff_0000 | Self.controlPresent | Self.recoveryPresent
    guard wanted & ~known == 0, 1...UInt64(APUS_MACHINE_CHECK_BANKS) ~= wanted & 0xff else {
      return false
    }
    capability = wanted
    if hasControl { control = .max }
    for bank in 0..<banks { words[bank * 4] = .max }
    return true
  }

  /// Nil: no such register. It is mutating so that no call copies the banks.
  mutating func read(_ msr: MSR, by reader: Writer) -> UInt64? {
    switch msr {
    case .machineCheckCapability: return capability
    case .machineCheckStatus: return status
    case .machineCheckControl: return hasControl || reader == .client ? control : nil
    default:
      let word = Int(msr.rawValue & 0x7f)
      return word < banks * 4 ? words[word] : nil
    }
  }

  /// False: no such register, or not this value.
  mutating func write(
    _ msr: MSR, _ value: UInt64, by writer: Writer, mayWriteStatus: Bool
  ) -> Bool {
    switch msr {
    case .machineCheckCapability: return writer == .client && value == capability
    case .machineCheckStatus: status = value
    case .machineCheckControl:
      guard hasControl || writer == .client && value == 0, value == 0 || value == .max else {
        return false
      }
      control = value
    default:
      let word = Int(msr.rawValue & 0x7f)
      guard word < banks * 4, Self.accepts(value, in: word & 3) else { return false }
      // Software clears a status. APM vol. 2, 9.3.2.3: HWCR may let it write one, for tests.
      if word & 3 == 1, value != 0, writer == .guest, !mayWriteStatus { return false }
      words[word] = value
    }
    return true
  }

  /// A bank's control is all or nothing; Linux leaves bit 10 of one out for K8, and others bit 0.
  private static func accepts(_ value: UInt64, in register: Int) -> Bool {
    register != 0 || value == 0 || value | 1 << 10 | 1 == .max
  }

  enum Report {
    case recorded, exception, shutdown, refused
  }

  private static var valid: UInt64 { 1 << 63 }
  private static var overflow: UInt64 { 1 << 62 }
  private static var uncorrected: UInt64 { 1 << 61 }
  private static var inProgress: UInt64 { 1 << 2 }

  /// KVM_X86_SET_MCE. `canTake` is the guest's CR4.MCE.
  mutating func report(_ error: kvm_x86_mce, canTake: Bool) -> Report {
    let bank = Int(error.bank) * 4
    guard Int(error.bank) < banks, error.status & Self.valid != 0 else { return .refused }
    let isUncorrected = error.status & Self.uncorrected != 0
    if isUncorrected {
      // Reporting is off.
      if hasControl, control != .max { return .recorded }
      if words[bank] != .max { return .recorded }
      if status & Self.inProgress != 0 || !canTake { return .shutdown }
      status = error.mcg_status
    } else if words[bank + 1] & Self.valid != 0, words[bank + 1] & Self.uncorrected != 0 {
      words[bank + 1] |= Self.overflow
      return .recorded
    }
    let lost = words[bank + 1] & Self.valid != 0 ? Self.overflow : 0
    words[bank + 1] = error.status | lost
    words[bank + 2] = error.addr
    words[bank + 3] = error.misc
    return isUncorrected ? .exception : .recorded
  }
}

extension VirtualCPU {
  var machineCheck: MachineCheckBanks {
    unsafeAddress { unsafe UnsafePointer(pages.machineCheck) }
    nonmutating unsafeMutableAddress { unsafe pages.machineCheck }
  }

  /// McStatusWrEn of AMD's HWCR.
  var mayWriteMachineCheckStatus: Bool { state.msrs[.hardwareConfiguration] & 1 << 18 != 0 }
}
