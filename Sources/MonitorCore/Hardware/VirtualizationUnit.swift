// SPDX-License-Identifier: Apache-2.0
import X86

/// VT-x or SVM as one vCPU sees it: the control block that is mapped on this CPU, and the
/// way into guest mode. Everything that differs between the two lies behind this protocol;
/// it is specialised at compile time.
public protocol VirtualizationUnit {
  associatedtype Tables: NestedTableFormat

  /// The unit of the vCPU whose pages are mapped there.
  static func of(_ pages: VirtualCPUPages) -> Self

  /// Whether nested tables may have leaves of level 3.
  var hasGigabytePages: Bool { get }

  /// Gives the control block what it needs before the first entry: intercepts, bitmaps and
  /// the register state after INIT. Physical addresses in bytes.
  func prepare(portBitmap: HostPhysical, nestedRoot: HostPhysical)

  /// Makes the control block this CPU's current one, and no longer.
  func load()
  func unload()

  /// Runs the guest until it exits. RAX to R15 are in `registers`, except RSP: `stackPointer`. An NMI that is
  /// taken in root mode after the caller has read the count of NMIs as `seen` prevents the entry,
  /// which then ends as an NMI's exit. (Where NMIs wait until the guest runs, as with GIF 0 on SVM,
  /// there is no such NMI.)
  func enter(_ registers: inout GuestRegisters, unlessNMISince seen: UInt64) -> Exit

  /// The next entry has more to do than to enter: `prepareEntry` comes first.
  var needsPreparation: Bool { get }
  /// Forgets translations that are to be forgotten, and loads the unit's own timer.
  func prepareEntry()

  /// Bytes of the instruction that exited; 0 where the processor does not say.
  var exitInstructionLength: UInt64 { get }
  /// The vendor's exit code and its further information, for reports.
  var exitCode: UInt64 { get }
  var exitInformation: UInt64 { get }
  /// What the newest exit was about, by its kind.
  var exitException: ExitException { get }
  var exitPortAccess: PortAccess { get }
  var exitNestedFault: NestedFault { get }
  /// Nil: an access that no manual knows.
  var exitControlRegister: ControlRegisterAccess? { get }
  var exitDebugRegister: DebugRegisterAccess { get }
  /// RIP at the newest exit.
  var exitInstructionPointer: UInt64 { get }
  /// The exit cut the delivery of an event short.
  var wasDelivering: Bool { get }
  /// What was being delivered when the exit came, taken once.
  func takeInterruptedEvent() -> Event?

  var instructionPointer: UInt64 { get nonmutating set }
  var stackPointer: UInt64 { get nonmutating set }
  var flags: RFLAGS { get nonmutating set }
  var cr0: UInt64 { get nonmutating set }
  var cr2: UInt64 { get nonmutating set }
  var cr3: UInt64 { get nonmutating set }
  var cr4: UInt64 { get nonmutating set }
  /// CR4.OSXSAVE.
  var hasExtendedStateEnabled: Bool { get }
  var efer: UInt64 { get nonmutating set }
  var dr6: UInt64 { get nonmutating set }
  var dr7: UInt64 { get nonmutating set }
  var privilegeLevel: UInt8 { get }
  /// Those of CS alone, which say the mode of the code.
  var codeAttributes: SegmentAttributes { get }
  subscript(_ name: SegmentName) -> Segment { get nonmutating set }
  var gdt: DescriptorTable { get nonmutating set }
  var idt: DescriptorTable { get nonmutating set }

  /// An MSR that the control block holds for the guest; nil if it is not one of those.
  func readMSR(_ msr: MSR) -> UInt64?
  /// False if the control block does not hold it, or a processor would refuse the value.
  func writeMSR(_ msr: MSR, _ value: UInt64) -> Bool
  /// Sets which accesses to an MSR exit; MSRs outside the bitmap's ranges always do.
  func intercept(_ msr: MSR, reads: Bool, writes: Bool)

  /// Goes on at `next`, behind an instruction that the monitor has executed for the guest: the shadow
  /// of MOV SS and STI is over, and a guest that single-steps gets its #DB.
  func completeInstruction(next: UInt64)
  /// The #DB of `completeInstruction` is still to come.
  var owesSingleStep: Bool { get }
  /// It does not come.
  func forgetSingleStep()
  /// MOV to and from debug registers exits.
  var debugRegisterExiting: Bool { get nonmutating set }
  /// INT3 exits.
  var breakpointExiting: Bool { get nonmutating set }
  /// MOV SS and STI hold interrupts off for one instruction.
  var interruptShadow: Bool { get nonmutating set }
  /// The event that the next entry delivers.
  var injection: Event? { get nonmutating set }
  /// An exit as soon as the guest can take an interrupt.
  var interruptWindowExiting: Bool { get nonmutating set }
  /// What the guest's TSC is ahead of the CPU's, in ticks, modulo 2 to the power of 64.
  var tscOffset: UInt64 { get nonmutating set }
  /// The processor's interrupts exit instead of being the guest's, and CR8 is `taskPriority` instead of the
  /// real register.
  var interruptExiting: Bool { get nonmutating set }
  /// TPR of an emulated local APIC; the lower four bits may not be kept.
  var taskPriority: UInt8 { get nonmutating set }
  /// An exit as soon as TPR's class is below `priorityClass` (1 to 15) and, where the processor looks at that
  /// too, the guest can take an interrupt; 0: none. TPR's class is not below it now.
  func awaitTaskPriority(below priorityClass: UInt8)
  /// HLT exits: only for a client without an interrupt controller in the kernel.
  var haltExiting: Bool { get nonmutating set }
  /// Guest NMIs are blocked: one is being handled.
  var nmiBlocked: Bool { get nonmutating set }
  /// An NMI can be injected now.
  var acceptsNMI: Bool { get }
  /// An exit as soon as the guest can take an NMI, if that is not only because of `injection`.
  var nmiWindowExiting: Bool { get nonmutating set }
  /// Gives the processor an NMI to deliver when the guest takes one. False: it keeps none, or has one.
  func holdNMI() -> Bool
  /// The processor has one.
  var holdsNMI: Bool { get nonmutating set }

  /// The processor can end the guest's run at a moment, for the monitor's own ends.
  var hasTimer: Bool { get }
  /// That moment, a value of the TSC: `Exit.preemptionTimer`, never before it. Nil: none.
  var deadline: UInt64? { get nonmutating set }

  /// Bits of CR4 that the guest can set, on processors that leave checking them to the monitor.
  var settableCR4: UInt64 { get }
  /// Bits of CR4 that the processor has and CPUID hides from the guest: a write that would change one
  /// exits. On processors that cannot say of which bits, every write does while there is one.
  func interceptCR4(hidden: UInt64)
  /// The four entries of PAE's first level, on processors that do not read them from memory
  /// themselves after the monitor has written a control register.
  func setPageDirectoryPointers(_ entries: InlineArray<4, UInt64>)

  /// Forgets every translation of this vCPU at the next entry.
  func flushTranslations()
}

/// What only one vendor needs.
extension VirtualizationUnit {
  public func holdNMI() -> Bool { false }
  public var holdsNMI: Bool {
    get { false }
    nonmutating set {}
  }
  public var hasExtendedStateEnabled: Bool { CR4(rawValue: cr4).contains(.osXSAVE) }
  public var needsPreparation: Bool { false }
  public func prepareEntry() {}
  public var hasTimer: Bool { false }
  public var deadline: UInt64? {
    get { nil }
    nonmutating set {}
  }
  public var settableCR4: UInt64 { .max }
  public func setPageDirectoryPointers(_ entries: InlineArray<4, UInt64>) {}
}

/// The general registers of a guest in the order of their encoding (SDM vol. 2, 2.1.5).
public struct GuestRegisters: Sendable {
  public var values: InlineArray<16, UInt64>
  public init() { values = InlineArray(repeating: 0) }

  @inline(__always) public subscript(_ register: UInt8) -> UInt64 {
    get { values[Int(register & 15)] }
    set { values[Int(register & 15)] = newValue }
  }

  public var rax: UInt64 {
    get { values[0] }
    set { values[0] = newValue }
  }
  public var rcx: UInt64 {
    get { values[1] }
    set { values[1] = newValue }
  }
  public var rdx: UInt64 {
    get { values[2] }
    set { values[2] = newValue }
  }
  public var rbx: UInt64 {
    get { values[3] }
    set { values[3] = newValue }
  }
  public var rsi: UInt64 {
    get { values[6] }
    set { values[6] = newValue }
  }
  public var rdi: UInt64 {
    get { values[7] }
    set { values[7] = newValue }
  }

  /// EDX:EAX, as RDMSR and WRMSR use them.
  public var edxEAX: UInt64 {
    get { rdx << 32 | rax & 0xffff_ffff }
    set {
      rax = newValue & 0xffff_ffff
      rdx = newValue >> 32
    }
  }
}

/// Entries of nested page tables: four levels of 512, in the vendor's bits.
public protocol NestedTableFormat {
  static func table(at physical: HostPhysical) -> UInt64
  /// A leaf of level 1 (4 KiB), 2 (2 MiB) or 3 (1 GiB).
  static func leaf(at physical: HostPhysical, level: Int, writable: Bool) -> UInt64
  /// A leaf of level 1 for a device's registers: uncached, but write-combining where the guest's own PAT
  /// says so.
  static func device(at physical: HostPhysical, writable: Bool) -> UInt64
  static func isPresent(_ entry: UInt64) -> Bool
  static func isLeaf(_ entry: UInt64, level: Int) -> Bool
  static func isWritable(_ entry: UInt64) -> Bool
  /// Of a leaf.
  static func isDevice(_ entry: UInt64) -> Bool
}

extension NestedTableFormat {
  /// The physical address in an entry: bits 12 to 51.
  public static func address(_ entry: UInt64) -> HostPhysical {
    HostPhysical(entry & 0x000f_ffff_ffff_f000)
  }
}
