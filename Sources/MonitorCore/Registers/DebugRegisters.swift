// SPDX-License-Identifier: Apache-2.0
import Emulator
import X86

/// The guest's debug registers: the processor's own, or memory while a debugger's breakpoints are in
/// those. SDM vol. 3, 18.2.
extension VirtualCPU {
  private var areAside: Bool { state.debugger.control.contains(.hardwareBreakpoints) }

  func guestDebugAddress(_ index: Int) -> UInt64 {
    areAside ? state.debugger.guestAddresses[index] : processor.readDebugAddress(index)
  }
  func setGuestDebugAddress(_ index: Int, _ value: UInt64) {
    if areAside {
      state.debugger.guestAddresses[index] = value
    } else {
      processor.writeDebugAddress(index, value)
    }
  }
  var guestDR6: UInt64 {
    get { areAside ? state.debugger.guestDR6 : unit.dr6 }
    nonmutating set {
      if areAside { state.debugger.guestDR6 = newValue } else { unit.dr6 = newValue }
    }
  }
  var guestDR7: UInt64 {
    get { areAside ? state.debugger.guestDR7 : unit.dr7 }
    nonmutating set {
      if areAside { state.debugger.guestDR7 = newValue } else { unit.dr7 = newValue }
    }
  }

  /// A debugger takes the processor's debug registers, or gives them back.
  func setBreakpoints(_ addresses: InlineArray<4, UInt64>, control: UInt64) {
    for index in 0..<4 { processor.writeDebugAddress(index, addresses[index]) }
    unit.dr6 = Self.clearDR6
    unit.dr7 = control & 0xffff_dfff | Self.alwaysOneDR7
  }
  func putDebugRegistersAside() {
    for index in 0..<4 { state.debugger.guestAddresses[index] = processor.readDebugAddress(index) }
    state.debugger.guestDR6 = unit.dr6
    state.debugger.guestDR7 = unit.dr7
    unit.debugRegisterExiting = true
  }
  func bringDebugRegistersBack() {
    unit.debugRegisterExiting = false
    for index in 0..<4 { processor.writeDebugAddress(index, state.debugger.guestAddresses[index]) }
    unit.dr6 = state.debugger.guestDR6
    unit.dr7 = state.debugger.guestDR7
  }

  /// DR6 without any condition; the bits that are always one, and those that are one when clear.
  static var clearDR6: UInt64 { 0xffff_0ff0 }
  private static var alwaysOneDR7: UInt64 { 1 << 10 }
  private static var generalDetect: UInt64 { 1 << 13 }

  /// MOV to or from a debug register, while the guest's are aside. The processor has checked the
  /// privilege level. SDM vol. 2, MOV to debug registers.
  @inline(never)
  func handleDebugRegister(_ access: DebugRegisterAccess) -> Outcome {
    var number = access.number
    if number == 4 || number == 5 {
      guard !CR4(rawValue: unit.cr4).contains(.debuggingExtensions) else {
        inject(.invalidOpcode)
        return .resume
      }
      number += 2
    }
    if guestDR7 & Self.generalDetect != 0 {
      guestDR6 |= Self.generalDetect
      guestDR7 &= ~Self.generalDetect
      inject(.debug)
      return .resume
    }
    let mode = codeSize
    let register = access.register ?? fetchInstruction(mode).generalRegister(mode)
    if access.isRead {
      let value = read(number)
      self[register: register] = mode == .bits64 ? value : value & 0xffff_ffff
    } else {
      let value = self[register: register]
      guard write(number, mode == .bits64 ? value : value & 0xffff_ffff) else {
        inject(.generalProtection)
        return .resume
      }
    }
    skip(.moveControlOrDebugRegister)
    return .resume
  }

  private func read(_ number: UInt8) -> UInt64 {
    switch number {
    case 6: guestDR6
    case 7: guestDR7
    default: guestDebugAddress(Int(number & 3))
    }
  }

  /// False: #GP.
  private func write(_ number: UInt8, _ value: UInt64) -> Bool {
    switch number {
    case 6:
      guard value >> 32 == 0 else { return false }
      guestDR6 = value & 0xe00f | Self.clearDR6
    case 7:
      guard value >> 32 == 0 else { return false }
      guestDR7 = value & 0xffff_2bff | Self.alwaysOneDR7
    default: setGuestDebugAddress(Int(number & 3), value)
    }
    return true
  }
}
