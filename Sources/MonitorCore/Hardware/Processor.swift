// SPDX-License-Identifier: Apache-2.0
import X86

/// The CPU under the monitor, apart from what VT-x and SVM do: the seam where tests stand in.
public protocol Processor {
  /// The CPU that runs the vCPU whose pages are mapped there.
  static func of(_ pages: VirtualCPUPages) -> Self

  func readMSR(_ msr: MSR) -> UInt64
  func writeMSR(_ msr: MSR, _ value: UInt64)
  /// Ticks.
  func timestamp() -> UInt64
  func cpuid(_ leaf: UInt32, _ subleaf: UInt32) -> CPUIDRegisters

  /// Maps the page at `physical` (page aligned) at a place in the window and gives its
  /// address. It is valid until the place is used again.
  func map(_ physical: HostPhysical, at place: WindowPlace) -> UnsafeMutableRawPointer

  /// Maps the APUS_TRACE_PAGES pages from `physical` on at APUS_WINDOW_TRACE.
  func mapTrace(_ physical: HostPhysical)

  /// Empties the local APIC, and stops what it does by itself: every LVT masked, timer stopped, nothing requested or in
  /// service, switched on with the highest spurious vector.
  func drainAPIC()
  /// Between these two, and while an APIC is drained or `putInService` waits, interrupts of 16 to 255 that
  /// come in root mode are ended and noted. What waits makes a guest exit whose unit has
  /// `interruptExiting`. Vectors below 16 must not come.
  func beginTakingInterrupts()
  func endTakingInterrupts()
  /// Takes what waits in the local APIC now.
  func takeInterrupts()
  /// Ends what is in service and takes what waits, whatever was its priority. The APIC is on afterwards, with
  /// TPR 0 and the highest spurious vector; LVT entries stay as they are.
  func emptyAPIC()
  /// The noted vectors from 64 * `word` (0 to 3) on, a bit each, which are noted no longer.
  func takenInterrupts(_ word: Int) -> UInt64
  /// Makes an interrupt one that is being handled: 32 to 255, and of a higher priority class than those
  /// that are already. Nothing is requested, and TPR is 0.
  func putInService(_ vector: UInt8)

  /// Makes the driver look at the mailbox.
  func ringDoorbell()
  /// Waits until other CPUs see what this one has written.
  func orderStores()
  func pause()
  /// Whether this CPU holds its VM's lock. It never takes two.
  var holdsLock: Bool { get nonmutating set }
  /// Another one broke with that lock in its hands: this CPU stops.
  func stopAtBrokenLock() -> Never
  /// NMIs taken in root mode.
  var nmiCount: UInt64 { get }
  /// Waits for an NMI. One that came after `nmiCount` was read as `seen` is not waited for.
  func sleep(unlessNMISince seen: UInt64)

  /// Guest FPU and vector state, kept in the registers while a vCPU is bound.
  func saveExtendedState(to area: UnsafeMutableRawPointer)
  func restoreExtendedState(from area: UnsafeMutableRawPointer)
  /// Components that XCR0 may name here.
  var extendedStateMask: UInt64 { get }
  /// MXCSR bits that may be set.
  var vectorControlMask: UInt32 { get }
  var xcr0: UInt64 { get nonmutating set }
  /// DR0 to DR3: the vendor's control block holds DR6 and DR7 only.
  func readDebugAddress(_ index: Int) -> UInt64
  func writeDebugAddress(_ index: Int, _ value: UInt64)
}

/// Pages of the window that are mapped in passing (APUS_WINDOW_FREE and up).
public struct WindowPlace: Sendable {
  /// Pages from APUS_WINDOW_FREE on.
  public let page: UInt32

  private init(_ page: UInt32) { self.page = page }
  /// For a nested table of level 1 to 4.
  static func table(level: Int) -> WindowPlace { WindowPlace(UInt32(level & 7)) }
  static var freeTable: WindowPlace { WindowPlace(8) }
  static var extents: WindowPlace { WindowPlace(9) }
  /// For pages of `GuestPages`, which stay.
  static func guestPage(_ number: Int) -> WindowPlace { WindowPlace(16 + UInt32(number)) }
}

public struct CPUIDRegisters: Equatable, Sendable {
  public var eax: UInt32
  public var ebx: UInt32
  public var ecx: UInt32
  public var edx: UInt32
  public init(eax: UInt32 = 0, ebx: UInt32 = 0, ecx: UInt32 = 0, edx: UInt32 = 0) {
    self.eax = eax
    self.ebx = ebx
    self.ecx = ecx
    self.edx = edx
  }
}

extension Processor {
  public func readAPIC(_ register: APICRegister) -> UInt32 {
    UInt32(truncatingIfNeeded: readMSR(register.msr))
  }
  public func writeAPIC(_ register: APICRegister, _ value: UInt32) {
    writeMSR(register.msr, UInt64(value))
  }
  /// Sends an interrupt; the destination is physical. Who takes it finds in memory what was written
  /// before it was sent, by the guest as well: in xAPIC mode it need not fence, because its write to the
  /// ICR would have been uncached. SDM vol. 3, 11.12.3: a WRMSR to the x2APIC does not wait for stores.
  public func send(_ command: InterruptCommand) {
    orderStores()
    writeMSR(APICRegister.interruptCommand.msr, command.rawValue)
  }
}
