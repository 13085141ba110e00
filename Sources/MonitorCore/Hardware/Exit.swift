// SPDX-License-Identifier: Apache-2.0
import X86

/// Why a guest left guest mode, the same on both vendors. One byte: what belongs to an exit, the unit
/// tells whoever handles it.
public enum Exit: UInt8, Equatable, Sendable {
  // The first ones leave something to be done in the unit before anything else.
  /// A kick: look at the requests.
  case nonMaskableInterrupt
  /// `VirtualizationUnit.exitException`.
  case exception
  case halt
  /// A guest-physical address without a nested translation that allows the access:
  /// `VirtualizationUnit.exitNestedFault`.
  case nestedFault
  case interruptWindow
  /// The processor refused the entry; `VirtualizationUnit.exitCode` says why.
  case invalidState
  /// An exit that was not asked for; `VirtualizationUnit.exitCode` says which.
  case other
  // The rest is what it says.
  case cpuid
  /// `VirtualizationUnit.exitPortAccess`.
  case port
  case readMSR
  case writeMSR
  case hypercall
  /// Triple fault.
  case shutdown
  /// An instruction of VT-x or SVM itself: the guest has neither.
  case virtualizationInstruction
  /// INVD or WBINVD: nothing to do on a coherent machine.
  case cacheControl
  case setExtendedControl
  /// `VirtualizationUnit.exitControlRegister`.
  case controlRegister
  /// `VirtualizationUnit.exitDebugRegister`.
  case debugRegister
  /// INT n is about to be executed.
  case softwareInterrupt
  case preemptionTimer
  case interrupt

  /// Nothing is left to be done in the unit.
  @inline(__always) public var isPlain: Bool { rawValue >= Exit.cpuid.rawValue }
}

/// IN, OUT, INS or OUTS: one word, with the bits of VT-x's exit qualification in its lower half. SDM
/// vol. 3, table 28-5; APM vol. 2, 15.10.2.
public struct PortAccess: Equatable, Sendable {
  /// Bits 0 to 2 size less one, 3 input, 4 string, 5 repeated, 16 to 31 port; 32 to 34 segment, 40 to
  /// 43 bytes of an address.
  private let bits: UInt64

  /// `segment` is that of an OUTS source, as encoded (0 ES … 5 GS); `addressSize` has bytes: 2, 4 or 8.
  @inline(__always)
  public init(qualification: UInt64, segment: UInt8 = 3, addressSize: UInt8 = 8) {
    bits = qualification & 0xffff_003f | UInt64(segment) << 32 | UInt64(addressSize) << 40
  }
  /// `size` in bytes: 1, 2 or 4.
  public init(
    port: UInt16, size: UInt8, isInput: Bool, isString: Bool = false, isRepeated: Bool = false,
    segment: UInt8 = 3, addressSize: UInt8 = 8
  ) {
    var qualification = UInt64(port) << 16 | UInt64(size &- 1)
    if isInput { qualification |= 1 << 3 }
    if isString { qualification |= 1 << 4 }
    if isRepeated { qualification |= 1 << 5 }
    self.init(qualification: qualification, segment: segment, addressSize: addressSize)
  }

  public var port: UInt16 { UInt16(truncatingIfNeeded: bits >> 16) }
  /// Bytes: 1, 2 or 4.
  public var size: UInt8 { UInt8(truncatingIfNeeded: bits & 7) + 1 }
  public var isInput: Bool { bits & 1 << 3 != 0 }
  public var isString: Bool { bits & 1 << 4 != 0 }
  public var isRepeated: Bool { bits & 1 << 5 != 0 }
  public var segment: UInt8 { UInt8(truncatingIfNeeded: bits >> 32 & 7) }
  public var addressSize: UInt8 { UInt8(truncatingIfNeeded: bits >> 40 & 15) }
}

/// An exception that is intercepted.
public struct ExitException: Equatable, Sendable {
  public var vector: UInt8
  public var errorCode: UInt32
  public init(vector: UInt8, errorCode: UInt32) {
    self.vector = vector
    self.errorCode = errorCode
  }
}

/// A nested page fault (SVM) or EPT violation (VT-x).
public struct NestedFault: Equatable, Sendable {
  public var address: GuestPhysical
  public var isWrite: Bool
  public var isExecute: Bool
  /// The processor's own access to the guest's page tables: no instruction to finish.
  public var isTableWalk: Bool

  public init(address: GuestPhysical, isWrite: Bool, isExecute: Bool, isTableWalk: Bool = false) {
    self.address = address
    self.isWrite = isWrite
    self.isExecute = isExecute
    self.isTableWalk = isTableWalk
  }
}

/// MOV to or from a control register, where the vendor cannot leave it to the guest.
public struct ControlRegisterAccess: Equatable, Sendable {
  public enum Kind: UInt8, Sendable { case write, read, clearTaskSwitched, loadStatusWord }
  public var number: UInt8
  public var kind: Kind
  /// The general register, as encoded; nil where the processor does not say.
  public var register: UInt8?
  public var source: UInt16

  public init(number: UInt8, kind: Kind, register: UInt8?, source: UInt16 = 0) {
    self.number = number
    self.kind = kind
    self.register = register
    self.source = source
  }
}

/// MOV to or from a debug register.
public struct DebugRegisterAccess: Equatable, Sendable {
  public var number: UInt8
  public var isRead: Bool
  /// The general register, as encoded; nil where the processor does not say.
  public var register: UInt8?

  public init(number: UInt8, isRead: Bool, register: UInt8?) {
    self.number = number
    self.isRead = isRead
    self.register = register
  }
}

/// An event that the processor delivers at the next entry, or was delivering at an exit.
public struct Event: Equatable, Sendable {
  public enum Kind: UInt8, Sendable {
    case external = 0
    case nonMaskable = 2
    case exception = 3
    case software = 4
  }
  public var kind: Kind
  public var vector: UInt8
  public var errorCode: UInt32?

  public init(kind: Kind, vector: UInt8, errorCode: UInt32? = nil) {
    self.kind = kind
    self.vector = vector
    self.errorCode = errorCode
  }
}
