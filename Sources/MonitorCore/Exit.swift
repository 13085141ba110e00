// SPDX-License-Identifier: Apache-2.0
import X86

/// Why a guest left guest mode, the same on both vendors.
public enum Exit: Equatable, Sendable {
  /// A kick: look at the requests.
  case nonMaskableInterrupt
  case exception(vector: UInt8, errorCode: UInt32)
  case cpuid
  case halt
  case port(PortAccess)
  case readMSR
  case writeMSR
  /// A guest-physical address without a nested translation that allows the access.
  case nestedFault(NestedFault)
  case interruptWindow
  case hypercall
  /// Triple fault.
  case shutdown
  /// The processor refused the entry; the code is the vendor's.
  case invalidState(UInt64)
  /// An instruction of VT-x or SVM itself: the guest has neither.
  case virtualizationInstruction
  /// INVD or WBINVD: nothing to do on a coherent machine.
  case cacheControl
  case setExtendedControl
  case controlRegister(ControlRegisterAccess)
  case preemptionTimer
  case interrupt
  /// The vendor's code of an exit that was not asked for.
  case other(UInt64)
}

/// IN, OUT, INS or OUTS. SDM vol. 3, table 28-5; APM vol. 2, 15.10.2.
public struct PortAccess: Equatable, Sendable {
  public var port: UInt16
  /// Bytes: 1, 2 or 4.
  public var size: UInt8
  public var isInput: Bool
  public var isString: Bool
  public var isRepeated: Bool
  /// Segment of an OUTS source, as encoded (0 ES … 5 GS).
  public var segment: UInt8
  /// Bytes of an address: 2, 4 or 8.
  public var addressSize: UInt8

  public init(
    port: UInt16, size: UInt8, isInput: Bool, isString: Bool = false, isRepeated: Bool = false,
    segment: UInt8 = 3, addressSize: UInt8 = 8
  ) {
    self.port = port
    self.size = size
    self.isInput = isInput
    self.isString = isString
    self.isRepeated = isRepeated
    self.segment = segment
    self.addressSize = addressSize
  }
}

/// A nested page fault (SVM) or EPT violation (VT-x).
public struct NestedFault: Equatable, Sendable {
  /// Guest-physical, bytes.
  public var address: UInt64
  public var isWrite: Bool
  public var isExecute: Bool
  /// The processor's own access to the guest's page tables: no instruction to finish.
  public var isTableWalk: Bool

  public init(address: UInt64, isWrite: Bool, isExecute: Bool, isTableWalk: Bool = false) {
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
  public var register: UInt8
  public var source: UInt16

  public init(number: UInt8, kind: Kind, register: UInt8, source: UInt16 = 0) {
    self.number = number
    self.kind = kind
    self.register = register
    self.source = source
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
