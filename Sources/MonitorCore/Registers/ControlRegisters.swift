// SPDX-License-Identifier: Apache-2.0
import Emulator
import X86

/// Accesses to control registers that exit: those that change a bit which is not the guest's own.
/// What the processor would check is checked here. SDM vol. 2, MOV to control registers.
extension VirtualCPU {
  @inline(never)
  func handleControlRegister(_ access: ControlRegisterAccess) -> Outcome {
    let isDone =
      switch access.kind {
      case .read: read(access)
      case .write: write(access)
      case .clearTaskSwitched: setCR0(unit.cr0 & ~CR0.taskSwitched.rawValue)
      case .loadStatusWord: loadStatusWord(access.source)
      }
    if isDone { skip(.moveControlOrDebugRegister) } else { inject(.generalProtection) }
    return .resume
  }

  /// LMSW: PE can be set but not cleared. False: #GP.
  func loadStatusWord(_ value: UInt16) -> Bool {
    setCR0(
      unit.cr0 & ~CR0.statusWord.subtracting(.protectionEnable).rawValue
        | UInt64(value) & CR0.statusWord.rawValue)
  }

  private func read(_ access: ControlRegisterAccess) -> Bool {
    let value: UInt64
    switch access.number {
    case 0: value = unit.cr0
    case 3: value = unit.cr3
    case 4: value = unit.cr4
    case 8: value = UInt64(taskPriority >> 4)
    default: return false
    }
    self[register: register(of: access)] = isLongMode ? value : value & 0xffff_ffff
    return true
  }

  private func register(of access: ControlRegisterAccess) -> UInt8 {
    if let register = access.register { return register }
    let mode = codeSize
    return fetchInstruction(mode).generalRegister(mode)
  }

  private func write(_ access: ControlRegisterAccess) -> Bool {
    var value = self[register: register(of: access)]
    if !isLongMode { value &= 0xffff_ffff }
    switch access.number {
    case 0: return setCR0(value)
    case 3: return setCR3(value)
    case 4: return setCR4(value)
    case 8:
      guard value <= 15 else { return false }
      taskPriority = UInt32(value) << 4
      return true
    default: return false
    }
  }

  /// False: #GP. Setting and clearing PG switches long mode on and off where LME asks for it
  /// (SDM vol. 3, 10.8.5).
  private func setCR0(_ value: UInt64) -> Bool {
    let new = CR0(rawValue: value | CR0.extensionType.rawValue)
    let old = CR0(rawValue: unit.cr0)
    let cr4 = CR4(rawValue: unit.cr4)
    guard value >> 32 == 0 else { return false }
    if new.contains(.paging), !new.contains(.protectionEnable) { return false }
    if new.contains(.notWriteThrough), !new.contains(.cacheDisable) { return false }
    let changed = CR0(rawValue: new.rawValue ^ old.rawValue)
    if changed.contains(.paging) {
      let isEnabled = new.contains(.paging)
      var efer = EFER(rawValue: unit.efer)
      if efer.contains(.longModeEnable) {
        guard isEnabled ? cr4.contains(.physicalAddressExtension) : !cr4.contains(.pcidEnable),
          !unit.codeAttributes.isLong
        else { return false }
        if isEnabled { efer.insert(.longModeActive) } else { efer.remove(.longModeActive) }
        unit.efer = efer.rawValue
      }
    }
    unit.cr0 = new.rawValue
    if !changed.isDisjoint(with: [.paging, .writeProtect, .cacheDisable, .notWriteThrough]) {
      pagingChanged()
    }
    return true
  }

  private func setCR3(_ value: UInt64) -> Bool {
    let keepsTranslations: UInt64 = 1 << 63
    unit.cr3 =
      CR4(rawValue: unit.cr4).contains(.pcidEnable) ? value & ~keepsTranslations : value
    pagingChanged()
    return true
  }

  private func setCR4(_ value: UInt64) -> Bool {
    let new = CR4(rawValue: value)
    let old = CR4(rawValue: unit.cr4)
    guard value & ~(state.offeredCR4 & unit.settableCR4) == 0 else { return false }
    let isLong = EFER(rawValue: unit.efer).contains(.longModeActive)
    if isLong, !new.contains(.physicalAddressExtension) { return false }
    if new.contains(.pcidEnable), !old.contains(.pcidEnable) {
      guard isLong, unit.cr3 & 0xfff == 0 else { return false }
    }
    unit.cr4 = value
    let changed = CR4(rawValue: new.rawValue ^ old.rawValue)
    if !changed.isDisjoint(with: .translation) { pagingChanged() }
    return true
  }

  private func pagingChanged() {
    unit.flushTranslations()
    state.attention.insert(.pageDirectoryPointers)
  }

  /// Before an entry, when the memory slots are known: PAE's first level as memory has it.
  func loadPageDirectoryPointers() {
    guard pagingMode.format == .extended else { return }
    let memory = memory
    let table = unit.cr3 & 0xffff_ffe0
    var entries: InlineArray<4, UInt64> = InlineArray(repeating: 0)
    for index in 0..<4 {
      entries[index] = memory.read(GuestPhysical(table) + UInt64(index) * 8, size: 8) ?? 0
    }
    unit.setPageDirectoryPointers(entries)
  }
}

extension CR0 {
  static let monitorCoprocessor = CR0(rawValue: 1 << 1)
  static let emulation = CR0(rawValue: 1 << 2)
  static let taskSwitched = CR0(rawValue: 1 << 3)
  /// What LMSW loads.
  static var statusWord: CR0 {
    [.protectionEnable, .monitorCoprocessor, .emulation, .taskSwitched]
  }
}

extension CR4 {
  static let globalPages = CR4(rawValue: 1 << 7)
  static let pcidEnable = CR4(rawValue: 1 << 17)
  /// A change of one of these makes the processor forget translations. SDM vol. 3, 4.10.4.1.
  static var translation: CR4 {
    [.pageSizeExtension, .physicalAddressExtension, .globalPages, .pcidEnable, .smep, .smap]
  }
}
