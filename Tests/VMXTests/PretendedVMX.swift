// SPDX-License-Identifier: Apache-2.0
import Contract
import MonitorCore
import VMX
import X86

/// A VMCS that is a dictionary of fields by encoding, and a guest that is what an entry does.
final class PretendedVMX: VMXInstructions, @unchecked Sendable {
  /// The CPU area's private pages name it.
  static func of(_ pages: VirtualCPUPages) -> PretendedVMX {
    let pointer = pages.cpuPage(APUS_CPU_PAGE_PRIVATE).load(as: UnsafeRawPointer.self)
    return Unmanaged<PretendedVMX>.fromOpaque(pointer).takeUnretainedValue()
  }

  var fields: [UInt32: UInt64] = [:]
  var msrs: [UInt32: UInt64] = [:]
  /// MSRs whose writes fault.
  var refused: Set<UInt32> = []
  /// What was executed, in order.
  var trace: [String] = []
  var cr2: UInt64 = 0
  var dr6: UInt64 = 0
  var host = HostRegisters()
  /// What an entry does; it exits at once by default.
  var guest: (PretendedVMX, UnsafeMutablePointer<GuestRegisters>) -> EntryOutcome = { _, _ in
    .exited
  }

  func read(_ encoding: UInt32) -> UInt64 { fields[encoding] ?? 0 }
  /// A field keeps as many bits as its encoding says. SDM vol. 3, 25.11.2.
  func write(_ encoding: UInt32, _ value: UInt64) {
    let mask: UInt64 =
      switch encoding >> 13 & 3 {
      case 0: 0xffff
      case 2: 0xffff_ffff
      default: .max
      }
    fields[encoding] = value & mask
  }
  func clear(_ block: UInt64) { trace.append("clear \(block)") }
  func makeCurrent(_ block: UInt64) { trace.append("load \(block)") }
  func invalidate(_ eptPointer: UInt64, _ extent: InvalidationExtent) {
    trace.append("invalidate \(String(eptPointer, radix: 16)) \(extent)")
  }
  func enter(
    _ registers: UnsafeMutableRawPointer, isLaunched: Bool, unlessNMISince seen: UInt64
  ) -> EntryOutcome {
    trace.append("\(isLaunched ? "resume" : "launch") \(seen)")
    let outcome = guest(self, registers.assumingMemoryBound(to: GuestRegisters.self))
    // An entry that succeeds takes the event. SDM vol. 3, 25.8.3.
    if outcome == .exited, fields[0x4402, default: 0] & 1 << 31 == 0 {
      fields[0x4016, default: 0] &= ~(1 << 31)
    }
    return outcome
  }
  func unblockNMIs() { trace.append("iret") }
  func surrender() { trace.append("surrender") }
  func takeMachineCheck() { trace.append("machine check") }

  var now: UInt64 = 0
  func timestamp() -> UInt64 { now }
  func readMSR(_ msr: MSR) -> UInt64 { msrs[msr.rawValue] ?? 0 }
  func writeMSR(_ msr: MSR, _ value: UInt64) -> Bool {
    guard !refused.contains(msr.rawValue) else { return false }
    msrs[msr.rawValue] = value
    return true
  }
}

/// A vCPU's pages and a vendor on them, prepared.
struct PretendedGuest {
  let instructions = PretendedVMX()
  let region: TestPages
  let bitmap: TestPages
  let unit: VMXUnit<PretendedVMX>
  private let window = TestPages.window()

  /// The vCPU area is at the physical address 0x10000.
  init(_ msrs: CapabilityMSRs = .ivyBridge) throws {
    region = window.vcpuPage(APUS_VCPU_PAGE_VMCB)
    bitmap = window.vcpuPage(APUS_VCPU_PAGE_MSR_BITMAP, 2)
    let pages = window.vcpuPages
    pages.control.pointee.area = 0x1_0000
    pages.cpuPage(APUS_CPU_PAGE_PRIVATE).storeBytes(
      of: UInt(bitPattern: Unmanaged.passUnretained(instructions).toOpaque()), as: UInt.self)
    unit = .of(pages)
    unit.attach(try msrs.capabilities)
    unit.load()
    unit.prepare(portBitmap: 0x2000, nestedRoot: 0x5000)
  }

  subscript(_ encoding: UInt32) -> UInt64 {
    get { instructions.fields[encoding] ?? 0 }
    nonmutating set { instructions.fields[encoding] = newValue }
  }

  /// Enters; the exit has these fields.
  func exit(_ exit: [UInt32: UInt64]) -> Exit {
    instructions.guest = { pretended, _ in
      for (encoding, value) in exit { pretended.fields[encoding] = value }
      return .exited
    }
    var registers = GuestRegisters()
    return enter(&registers, unlessNMISince: 0)
  }

  /// As the run loop enters.
  func enter(_ registers: inout GuestRegisters, unlessNMISince seen: UInt64) -> Exit {
    if unit.needsPreparation { unit.prepareEntry() }
    return unit.enter(&registers, unlessNMISince: seen)
  }
}
