// SPDX-License-Identifier: Apache-2.0
import Contract
import Entry
import MonitorCore
import X86

/// The CPU that this code runs on and its area: mailbox, tables, stacks. Safe to use: the area
/// is mapped as long as the CPU runs.
@safe struct LentCPU {
  /// The mailbox of the CPU that asks: it lies at the same address on each.
  static var current: LentCPU {
    unsafe LentCPU(page(APUS_CPU_PAGE_CONTROL).assumingMemoryBound(to: apus_cpu.self))
  }

  private let pointer: UnsafeMutablePointer<apus_cpu>

  init(_ mailbox: UnsafeMutablePointer<apus_cpu>) { unsafe pointer = mailbox }

  @inline(__always) var mailbox: apus_cpu {
    unsafeAddress { unsafe UnsafePointer(pointer) }
    nonmutating unsafeMutableAddress { unsafe pointer }
  }

  /// A page of the area: its virtual and its physical address.
  static func page(_ number: UInt32) -> UnsafeMutableRawPointer {
    unsafe Window.address(APUS_WINDOW_CPU + number)
  }
  private static func endOfPage(_ number: UInt32) -> UInt64 {
    unsafe UInt64(UInt(bitPattern: page(number + 1)))
  }
  func physicalPage(_ number: UInt32) -> UInt64 {
    mailbox.area + UInt64(number) * UInt64(APUS_PAGE_SIZE)
  }

  private var privatePage: PrivatePage {
    unsafeAddress {
      unsafe UnsafePointer(
        Self.page(APUS_CPU_PAGE_PRIVATE).assumingMemoryBound(to: PrivatePage.self))
    }
    nonmutating unsafeMutableAddress {
      unsafe Self.page(APUS_CPU_PAGE_PRIVATE).assumingMemoryBound(to: PrivatePage.self)
    }
  }

  /// What the monitor keeps in the first of the area's private pages, zeroed by the driver
  /// before the CPU starts for the first time.
  struct PrivatePage {
    var host: HostState
    var descriptors: DescriptorTables
    /// Of the VM that is bound.
    var holdsLock: Bool
    var takesInterrupts: Bool
  }

  var holdsLock: Bool {
    get { privatePage.holdsLock }
    nonmutating set { privatePage.holdsLock = newValue }
  }

  /// Interrupts of this CPU are the monitor's to take, not its guest's.
  var takesInterrupts: Bool {
    get { privatePage.takesInterrupts }
    nonmutating set { privatePage.takesInterrupts = newValue }
  }

  func loadTables() {
    unsafe privatePage.descriptors.load(
      interrupts: Self.page(APUS_CPU_PAGE_TABLES),
      nmiStack: Self.endOfPage(APUS_CPU_PAGE_NMI_STACK),
      faultStack: Self.endOfPage(APUS_CPU_PAGE_FAULT_STACK))
  }

  static var taskStateAddress: UInt64 { current.privatePage.descriptors.taskStateAddress }

  /// Changes the state that the driver sees, and tells it.
  func enter(_ state: apus_cpu_state) {
    unsafe storeRelease(&pointer.pointee.state, state.rawValue)
    if state == APUS_CPU_READY || state == APUS_CPU_STOPPED { ringDoorbell() }
  }

  /// Says where the monitor broke, and lets the CPU go: an INIT reaches it from now on.
  func stop(_ fault: apus_fault) {
    // A fault of this very function.
    if mailbox.state == APUS_CPU_STOPPED.rawValue { return }
    mailbox.fault = fault
    enter(APUS_CPU_STOPPED)
    // The VM's other CPUs would wait for it for ever, where neither NMI nor INIT reaches them.
    if holdsLock {
      unsafe Window.address(APUS_WINDOW_VM + APUS_VM_PAGE_PRIVATE)
        .assumingMemoryBound(to: Spinlock.self).breakLock()
    }
    SVMHost.disable()
    VMXHost.disable()
  }

  func ringDoorbell() {
    let doorbell = unsafe loadAcquire(&pointer.pointee.doorbell)
    guard doorbell != 0 else { return }
    orderStores()
    _ = tryWriteMSR(APICRegister.interruptCommand.msr.rawValue, doorbell)
  }

  func awaitProceed() {
    while unsafe loadAcquire(&pointer.pointee.proceed) == 0 { pause() }
  }

  func refuse(_ refusal: Refusal) {
    mailbox.reason = refusal.reason.rawValue
    mailbox.detail = refusal.detail
    enter(APUS_CPU_UNFIT)
  }

  /// Why this CPU cannot run guests, whatever its vendor.
  var refusal: Refusal? {
    if mailbox.abi_version != APUS_ABI_VERSION { return Refusal(APUS_UNFIT_ABI) }
    let features = cpuid(1, 0).ecx
    if features & 1 << 21 == 0 { return Refusal(APUS_UNFIT_NO_X2APIC) }
    if features & 1 << 26 == 0 {
      return Refusal(APUS_UNFIT_CONTROL, detail: UInt64(APUS_CONTROL_XSAVE.rawValue))
    }
    return nil
  }

  /// Makes the CPU the monitor's: its own CR4, the APIC in x2APIC mode.
  func takeOver() {
    privatePage.host.save()
    privatePage.host.allowSplitLocks()
    // Linux asked for the lowest performance when it let go of the CPU, and asks anew when it has it back.
    if mailbox.performance_msr != 0 {
      _ = tryWriteMSR(mailbox.performance_msr, mailbox.performance)
    }
    writeCR4(
      CR4([.physicalAddressExtension, .machineCheck, .osFXSR, .osXMMExceptions, .osXSAVE]).rawValue)
    // An INIT leaves the APIC in x2APIC mode, from which there is no direct way to xAPIC mode.
    let base = APICBase(rawValue: readMSR(MSR.apicBase.rawValue))
    if base.isX2APIC { return }
    writeMSR(MSR.apicBase.rawValue, base.rawValue | APICBase.globalEnable)
    writeMSR(
      MSR.apicBase.rawValue, base.rawValue | APICBase.globalEnable | APICBase.x2APICEnable)
  }

  /// Undoes `takeOver`; virtualisation is off and the APIC drained.
  func giveBack() { privatePage.host.restore() }
}

/// What Linux expects to find as it was, and would not set up itself.
struct HostState {
  private var isSaved: Bool
  private(set) var apicBase: UInt64
  /// IA32_TEST_CTRL if Linux has #AC for split locks on, otherwise 0.
  private var splitLockControl: UInt64
  private static var splitLockDetection: UInt64 { 1 << 29 }

  /// The first time only: a CPU that had to be started again has the monitor's own values.
  mutating func save() {
    guard !isSaved else { return }
    isSaved = true
    apicBase = readMSR(MSR.apicBase.rawValue)
    // Only processors that have the bit can have it set; Ice Lake does not name it in
    // IA32_CORE_CAPABILITIES (Linux, split_lock_cpu_ids).
    var control: UInt64 = 0
    _ = unsafe tryReadMSR(MSR.testControl.rawValue, &control)
    splitLockControl = control & Self.splitLockDetection == 0 ? 0 : control
  }

  /// A guest that was not told of it would take #AC in its kernel for a mistake.
  func allowSplitLocks() {
    guard splitLockControl != 0 else { return }
    _ = tryWriteMSR(MSR.testControl.rawValue, splitLockControl & ~Self.splitLockDetection)
  }

  /// x2APIC is left by way of a disabled APIC only (SDM vol. 3, 11.12.5).
  func restore() {
    if splitLockControl != 0 { _ = tryWriteMSR(MSR.testControl.rawValue, splitLockControl) }
    if apicBase & APICBase.x2APICEnable == 0 {
      writeMSR(
        MSR.apicBase.rawValue, apicBase & ~(APICBase.x2APICEnable | APICBase.globalEnable))
    }
    writeMSR(MSR.apicBase.rawValue, apicBase)
  }
}
