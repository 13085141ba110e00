// SPDX-License-Identifier: Apache-2.0
import Emulator
import X86

/// A vCPU as the instruction emulator sees it.
struct EmulatedCPU<Unit: VirtualizationUnit, Hardware: Processor>: EmulatorContext {
  let cpu: VirtualCPU<Unit, Hardware>

  /// RSP is the control block's: see `VirtualCPU.emulate`.
  @inline(__always) var registers: GeneralRegisters {
    unsafe GeneralRegisters(cpu.pages.registers)
  }
  @inline(__always) var instructionPointer: UInt64 { cpu.unit.exitInstructionPointer }
  @inline(__always) var flags: RFLAGS {
    get { cpu.unit.flags }
    nonmutating set { cpu.unit.flags = newValue }
  }
  var privilegeLevel: UInt8 { cpu.unit.privilegeLevel }
  var controlRegister0: CR0 { CR0(rawValue: cpu.unit.cr0) }
  var isLongModeActive: Bool { EFER(rawValue: cpu.unit.efer).contains(.longModeActive) }
  var linearAddressBits: UInt8 { CR4(rawValue: cpu.unit.cr4).contains(.la57) ? 57 : 48 }
  var globalDescriptorTable: DescriptorTable { cpu.unit.gdt }

  subscript(_ name: SegmentName) -> Segment {
    get { cpu.unit[name] }
    nonmutating set { cpu.unit[name] = newValue }
  }

  func translate(_ linear: Linear, _ access: Access) throws(GuestFault) -> GuestPhysical {
    do throws(PageFault) {
      return try cpu.translate(linear, access)
    } catch {
      throw GuestFault(.pageFault, errorCode: error.errorCode, address: linear.rawValue)
    }
  }

  func memory(at physical: GuestPhysical, isWrite: Bool) -> UnsafeMutableRawPointer? {
    unsafe cpu.memory.pointer(to: physical, isWrite: isWrite)
  }

  @inline(__always)
  func readDevice(_ access: DeviceAccess) -> UInt64? {
    if access.space == .port { return cpu.readLocalPort(access) }
    let address = GuestPhysical(access.address)
    guard let device = cpu.localDevice(at: address) else { return nil }
    return cpu.read(device, address)
  }

  @inline(__always)
  func writeDevice(_ access: DeviceAccess) -> Bool {
    if access.space == .port { return cpu.writeLocalPort(access) }
    let address = GuestPhysical(access.address)
    if let device = cpu.localDevice(at: address) {
      cpu.write(device, address, access.value)
      return true
    }
    return cpu.sendsOn(.memory, access.address, access.value, size: access.size)
  }

  func blockData(port: UInt64, size: UInt8) -> UnsafeMutableRawPointer? {
    size == 1 && cpu.localPort(UInt16(truncatingIfNeeded: port)) != nil
      ? nil : unsafe cpu.pages.portData
  }

  @inline(__always)
  func complete(_ completion: Completion, next: UInt64) {
    guard completion.contains(.interruptShadow) else {
      return cpu.unit.completeInstruction(next: next)
    }
    cpu.unit.instructionPointer = next
    cpu.unit.interruptShadow = true
  }

  func vector(_ number: UInt8) -> Wide { cpu.vector(number) }
  func setVector(_ number: UInt8, _ value: Wide) { cpu.setVector(number, value) }

  func loadStatusWord(_ value: UInt16) throws(GuestFault) {
    if !cpu.loadStatusWord(value) { throw .generalProtection }
  }

  var hasLeadingZeroCount: Bool { cpu.processor.cpuid(0x8000_0001, 0).ecx & 1 << 5 != 0 }
  var hasTrailingZeroCount: Bool { cpu.processor.cpuid(7, 0).ebx & 1 << 3 != 0 }
}

/// XMM registers: they are the processor's while a vCPU is bound, and go through the XSAVE area.
extension VirtualCPU {
  fileprivate func vector(_ number: UInt8) -> Wide {
    saveExtendedState()
    let register = unsafe vectorRegister(number)
    return unsafe Wide(
      low: register.load(as: UInt64.self), high: register.load(fromByteOffset: 8, as: UInt64.self))
  }

  fileprivate func setVector(_ number: UInt8, _ value: Wide) {
    saveExtendedState()
    let register = unsafe vectorRegister(number)
    unsafe register.storeBytes(of: value.low, as: UInt64.self)
    unsafe register.storeBytes(of: value.high, toByteOffset: 8, as: UInt64.self)
    includeVectorRegisters()
    restoreExtendedState()
  }

  private func vectorRegister(_ number: UInt8) -> UnsafeMutableRawPointer {
    unsafe pages.extendedState + Self.vectorRegisters + Int(number & 15) * 16
  }
}
