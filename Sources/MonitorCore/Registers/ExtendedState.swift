// SPDX-License-Identifier: Apache-2.0
import X86

/// The guest's FPU and vector state. It is in the registers while a vCPU is bound; otherwise, and for the client, it is in
/// the XSAVE area of the vCPU, in the standard format (SDM vol. 1, 13.4).
extension VirtualCPU {
  static var statusAndControl: Int { 24 }
  static var controlMask: Int { 28 }
  static var x87Registers: Int { 32 }
  static var vectorRegisters: Int { 160 }
  static var header: Int { 512 }
  /// struct kvm_xsave.
  static var extendedStateSize: Int { 4096 }

  /// XRSTOR takes MXCSR from the area whether the header names SSE or not (SDM vol. 1, 13.8.1).
  func resetExtendedState() {
    let afterReset: UInt32 = 0x1f80
    unsafe pages.extendedState.storeBytes(
      of: afterReset, toByteOffset: Self.statusAndControl, as: UInt32.self)
  }

  func saveExtendedState() {
    let xcr0 = processor.xcr0
    processor.xcr0 = processor.extendedStateMask
    unsafe processor.saveExtendedState(to: pages.extendedState)
    processor.xcr0 = xcr0
  }

  /// What XRSTOR would refuse is taken out of the area first: it comes from the client.
  func restoreExtendedState() {
    let area = unsafe pages.extendedState
    let present = unsafe area.load(fromByteOffset: Self.header, as: UInt64.self)
    unsafe (area + Self.header).initializeMemory(as: UInt64.self, repeating: 0, count: 8)
    unsafe area.storeBytes(
      of: present & processor.extendedStateMask, toByteOffset: Self.header, as: UInt64.self)
    let control = unsafe area.load(fromByteOffset: Self.statusAndControl, as: UInt32.self)
    unsafe area.storeBytes(
      of: control & processor.vectorControlMask, toByteOffset: Self.statusAndControl,
      as: UInt32.self)
    let xcr0 = processor.xcr0
    processor.xcr0 = processor.extendedStateMask
    unsafe processor.restoreExtendedState(from: area)
    processor.xcr0 = xcr0
  }

  /// The area holds x87 and XMM registers that are not those after reset.
  func includeVectorRegisters() {
    let area = unsafe pages.extendedState
    let present = unsafe area.load(fromByteOffset: Self.header, as: UInt64.self)
    unsafe area.storeBytes(of: present | 3, toByteOffset: Self.header, as: UInt64.self)
  }

  /// A value that XSETBV takes: x87 always, only components that the processor has and the
  /// area has room for, AVX with SSE, and AVX-512's three together with AVX.
  func isExtendedControl(_ value: UInt64) -> Bool {
    guard value & 1 != 0, value & ~processor.extendedStateMask == 0 else { return false }
    if value & 0b100 != 0, value & 0b10 == 0 { return false }
    let wide = value & 0xe0
    return wide == 0 || wide == 0xe0 && value & 0b100 != 0
  }
}
