// SPDX-License-Identifier: Apache-2.0
import Contract
import X86

/// KVM_GET_FPU, KVM_SET_FPU, KVM_GET_XSAVE, KVM_SET_XSAVE, KVM_GET_XCRS and KVM_SET_XCRS.
extension VirtualCPU {
  func getXSAVE() -> Int64 {
    saveExtendedState()
    unsafe pages.payload.copyMemory(
      from: pages.extendedState, byteCount: Self.extendedStateSize)
    return 0
  }

  func setXSAVE() -> Int64 {
    let present = unsafe pages.payload.load(fromByteOffset: Self.header, as: UInt64.self)
    let compacted = unsafe pages.payload.load(fromByteOffset: Self.header + 8, as: UInt64.self)
    guard present & ~processor.extendedStateMask == 0, compacted == 0 else { return -EINVAL_ }
    unsafe pages.extendedState.copyMemory(
      from: pages.payload, byteCount: Self.extendedStateSize)
    restoreExtendedState()
    return 0
  }

  /// The FXSAVE image (SDM vol. 1, table 10-2) and struct kvm_fpu hold the same.
  func getFPU() -> kvm_fpu {
    saveExtendedState()
    let area = unsafe UnsafeRawPointer(pages.extendedState)
    var fpu = kvm_fpu()
    fpu.fcw = unsafe area.load(fromByteOffset: 0, as: UInt16.self)
    fpu.fsw = unsafe area.load(fromByteOffset: 2, as: UInt16.self)
    fpu.ftwx = unsafe area.load(fromByteOffset: 4, as: UInt8.self)
    fpu.last_opcode = unsafe area.load(fromByteOffset: 6, as: UInt16.self)
    fpu.last_ip = unsafe area.load(fromByteOffset: 8, as: UInt64.self)
    fpu.last_dp = unsafe area.load(fromByteOffset: 16, as: UInt64.self)
    fpu.mxcsr = unsafe area.load(fromByteOffset: Self.statusAndControl, as: UInt32.self)
    unsafe withUnsafeMutableBytes(of: &fpu.fpr) {
      unsafe $0.copyMemory(
        from: UnsafeRawBufferPointer(start: area + Self.x87Registers, count: 128))
    }
    unsafe withUnsafeMutableBytes(of: &fpu.xmm) {
      unsafe $0.copyMemory(
        from: UnsafeRawBufferPointer(start: area + Self.vectorRegisters, count: 256))
    }
    return fpu
  }

  func setFPU(_ fpu: kvm_fpu) -> Int64 {
    saveExtendedState()
    let area = unsafe pages.extendedState
    unsafe area.storeBytes(of: fpu.fcw, toByteOffset: 0, as: UInt16.self)
    unsafe area.storeBytes(of: fpu.fsw, toByteOffset: 2, as: UInt16.self)
    unsafe area.storeBytes(of: UInt16(fpu.ftwx), toByteOffset: 4, as: UInt16.self)
    unsafe area.storeBytes(of: fpu.last_opcode, toByteOffset: 6, as: UInt16.self)
    unsafe area.storeBytes(of: fpu.last_ip, toByteOffset: 8, as: UInt64.self)
    unsafe area.storeBytes(of: fpu.last_dp, toByteOffset: 16, as: UInt64.self)
    unsafe area.storeBytes(of: fpu.mxcsr, toByteOffset: Self.statusAndControl, as: UInt32.self)
    unsafe withUnsafeBytes(of: fpu.fpr) {
      unsafe UnsafeMutableRawBufferPointer(start: area + Self.x87Registers, count: 128)
        .copyMemory(from: $0)
    }
    unsafe withUnsafeBytes(of: fpu.xmm) {
      unsafe UnsafeMutableRawBufferPointer(start: area + Self.vectorRegisters, count: 256)
        .copyMemory(from: $0)
    }
    includeVectorRegisters()
    restoreExtendedState()
    return 0
  }

  func getXCRs() -> kvm_xcrs {
    var registers = kvm_xcrs()
    registers.nr_xcrs = 1
    registers.xcrs.0 = kvm_xcr(xcr: 0, reserved: 0, value: processor.xcr0)
    return registers
  }

  func setXCRs(_ registers: kvm_xcrs) -> Int64 {
    guard registers.flags == 0, registers.nr_xcrs <= 16 else { return -EINVAL_ }
    var accepted = true
    unsafe withUnsafeBytes(of: registers.xcrs) { bytes in
      for index in 0..<Int(registers.nr_xcrs) {
        let register = unsafe bytes.load(
          fromByteOffset: index * MemoryLayout<kvm_xcr>.stride, as: kvm_xcr.self)
        guard register.xcr == 0 else { continue }
        if isExtendedControl(register.value) {
          processor.xcr0 = register.value
        } else {
          accepted = false
        }
      }
    }
    return accepted ? 0 : -EINVAL_
  }
}
