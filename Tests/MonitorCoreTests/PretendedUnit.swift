// SPDX-License-Identifier: Apache-2.0
import Contract
import MonitorCore
import X86

/// Entries with bits of neither vendor: 0x100 present, 0x200 writable, 0x400 a leaf, 0x800 a device.
enum PretendedTables: NestedTableFormat {
  static func table(at physical: HostPhysical) -> UInt64 { physical.rawValue | 0x300 }
  static func leaf(at physical: HostPhysical, level: Int, writable: Bool) -> UInt64 {
    physical.rawValue | 0x500 | (writable ? 0x200 : 0)
  }
  static func device(at physical: HostPhysical, writable: Bool) -> UInt64 {
    leaf(at: physical, level: 1, writable: writable) | 0x800
  }
  static func isDevice(_ entry: UInt64) -> Bool { entry & 0x800 != 0 }
  static func isPresent(_ entry: UInt64) -> Bool { entry & 0x100 != 0 }
  static func isLeaf(_ entry: UInt64, level: Int) -> Bool { entry & 0x400 != 0 }
  static func isWritable(_ entry: UInt64) -> Bool { entry & 0x200 != 0 }
}

/// A control block of plain fields, and a guest that is a list of what it does between entry and
/// exit. At its end it halts.
final class PretendedUnit: VirtualizationUnit, @unchecked Sendable {
  typealias Tables = PretendedTables
  /// The page of the control block names it.
  static func of(_ pages: VirtualCPUPages) -> PretendedUnit {
    PretendedWindow.object(at: pages.vcpuPage(APUS_VCPU_PAGE_VMCB))
  }
  typealias Step = (PretendedUnit, inout GuestRegisters) -> GuestExit

  var steps: [Step] = []
  /// The events that entries delivered.
  var delivered: [Event] = []
  var flushes = 0
  /// MSRs of which some accesses do not exit: (reads exit, writes exit).
  var intercepts: [UInt32: (reads: Bool, writes: Bool)] = [:]
  var kept: [UInt32: UInt64] = [:]
  var hasGigabytePages = true
  var segments: [SegmentName: Segment] = [:]

  var hiddenCR4: UInt64 = 0
  func interceptCR4(hidden: UInt64) { hiddenCR4 = hidden }
  func prepare(portBitmap: HostPhysical, nestedRoot: HostPhysical) {}
  func load() {}
  func unload() {}

  func enter(_ registers: inout GuestRegisters, unlessNMISince seen: UInt64) -> Exit {
    if let event = injection { delivered.append(event) }
    injection = nil
    exit = steps.isEmpty ? .halt : steps.removeFirst()(self, &registers)
    return exit.kind
  }

  var hasTimer = false
  var deadline: UInt64?

  var exitInstructionLength: UInt64 = 0
  private var exit = GuestExit.halt
  var exitException: ExitException {
    guard case .exception(let vector, let code) = exit else { fatalError("no exception") }
    return ExitException(vector: vector, errorCode: code)
  }
  var exitPortAccess: PortAccess {
    guard case .port(let access) = exit else { fatalError("no access to a port") }
    return access
  }
  var exitNestedFault: NestedFault {
    guard case .nestedFault(let fault) = exit else { fatalError("no nested fault") }
    return fault
  }
  var exitControlRegister: ControlRegisterAccess? {
    guard case .controlRegister(let access) = exit else { return nil }
    return access
  }
  var exitDebugRegister: DebugRegisterAccess {
    guard case .debugRegister(let access) = exit else { fatalError("no debug register") }
    return access
  }
  var exitCode: UInt64 {
    switch exit {
    case .invalidState(let code), .other(let code): code
    default: 0x72
    }
  }
  var exitInformation: UInt64 { 0 }
  var exitInstructionPointer: UInt64 { instructionPointer }
  var wasDelivering: Bool { interruptedEvent != nil }
  var singleSteps = 0
  func completeInstruction(next: UInt64) {
    instructionPointer = next
    interruptShadow = false
    guard flags.contains(.trap) else { return }
    singleSteps += 1
    owesSingleStep = true
  }
  var owesSingleStep = false
  func forgetSingleStep() { owesSingleStep = false }
  var debugRegisterExiting = false
  var breakpointExiting = false
  var interruptedEvent: Event?
  func takeInterruptedEvent() -> Event? {
    defer { interruptedEvent = nil }
    return interruptedEvent
  }

  var instructionPointer: UInt64 = 0
  var stackPointer: UInt64 = 0
  var flags: RFLAGS = .alwaysOne
  var cr0: UInt64 = 0x11
  var cr2: UInt64 = 0
  var cr3: UInt64 = 0
  var cr4: UInt64 = 0
  var efer: UInt64 = 0
  var dr6: UInt64 = 0
  var dr7: UInt64 = 0
  var privilegeLevel: UInt8 = 0
  var codeAttributes: SegmentAttributes { self[.cs].attributes }
  subscript(_ name: SegmentName) -> Segment {
    get { segments[name] ?? Segment(attributes: .realModeData) }
    set { segments[name] = newValue }
  }
  var gdt = DescriptorTable(limit: 0, base: 0)
  var idt = DescriptorTable(limit: 0, base: 0)

  func readMSR(_ msr: MSR) -> UInt64? { kept[msr.rawValue] }
  func writeMSR(_ msr: MSR, _ value: UInt64) -> Bool {
    guard kept[msr.rawValue] != nil else { return false }
    kept[msr.rawValue] = value
    return true
  }
  func intercept(_ msr: MSR, reads: Bool, writes: Bool) {
    intercepts[msr.rawValue] = (reads, writes)
  }
  func exits(_ msr: UInt32) -> (reads: Bool, writes: Bool) { intercepts[msr] ?? (true, true) }

  var interruptShadow = false
  var injection: Event?
  var interruptWindowExiting = false
  var tscOffset: UInt64 = 0
  var interruptExiting = false
  var taskPriority: UInt8 = 0
  /// 0: none is awaited.
  var awaitedPriority: UInt8 = 0
  func awaitTaskPriority(below priorityClass: UInt8) { awaitedPriority = priorityClass }
  var haltExiting = false
  var nmiBlocked = false
  var acceptsNMI: Bool { !nmiBlocked && !interruptShadow }
  var nmiWindowExiting = false
  func flushTranslations() { flushes += 1 }
}
