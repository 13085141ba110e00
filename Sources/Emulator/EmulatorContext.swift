// SPDX-License-Identifier: Apache-2.0
import X86

/// What the emulator needs of a vCPU. A context is a handle of one word, whose state lies elsewhere.
public protocol EmulatorContext {
  /// RAX to R15 in the order of their encoding, RSP included.
  var registers: GeneralRegisters { get }
  var instructionPointer: UInt64 { get }
  var flags: RFLAGS { get nonmutating set }
  var privilegeLevel: UInt8 { get }
  var controlRegister0: CR0 { get }
  /// 48, or 57 with 5-level paging: how much of a linear address counts in 64-bit code.
  var linearAddressBits: UInt8 { get }
  subscript(_ name: SegmentName) -> Segment { get nonmutating set }
  /// EFER.LMA: descriptors of the system are 16 bytes long.
  var isLongModeActive: Bool { get }
  var globalDescriptorTable: DescriptorTable { get }

  /// The guest-physical address behind a linear one.
  func translate(_ linear: Linear, _ access: Access) throws(GuestFault) -> GuestPhysical

  /// Where the page's memory behind a guest-physical address can be reached, until the next call.
  /// Nil: no memory is there, or none that can be written where `isWrite`. A device answers then.
  func memory(at physical: GuestPhysical, isWrite: Bool) -> UnsafeMutableRawPointer?

  /// Reads a device that answers at once and without side effects. Nil: the client has to be asked.
  func readDevice(_ access: DeviceAccess) -> UInt64?
  /// False: the client has to be asked, and nothing has happened.
  func writeDevice(_ access: DeviceAccess) -> Bool
  /// A page for the data of a repeated INS or OUTS that client and guest exchange at once. Nil: this
  /// port is read or written element by element.
  func blockData(port: UInt64, size: UInt8) -> UnsafeMutableRawPointer?

  /// The instruction, or an element of a repeated one, is done, and the guest goes on at `next`.
  func complete(_ completion: Completion, next: UInt64)

  /// XMM0 to XMM15.
  func vector(_ number: UInt8) -> Wide
  func setVector(_ number: UInt8, _ value: Wide)

  /// LMSW: the value's low four bits go into CR0. PE can be set but not cleared.
  func loadStatusWord(_ value: UInt16) throws(GuestFault)
  /// Whether LZCNT and TZCNT are there; without them their encodings mean BSR and BSF.
  var hasLeadingZeroCount: Bool { get }
  var hasTrailingZeroCount: Bool { get }
}

/// The sixteen general registers of a vCPU, in the order of their encoding. SDM vol. 2, 2.1.5.
@safe public struct GeneralRegisters {
  private let first: UnsafeMutablePointer<UInt64>

  /// `first` stays valid as long as these registers are used.
  public init(_ first: UnsafeMutablePointer<UInt64>) { unsafe self.first = unsafe first }

  @inline(__always) public subscript(_ number: UInt8) -> UInt64 {
    get { unsafe first[Int(number & 15)] }
    nonmutating set { unsafe first[Int(number & 15)] = newValue }
  }
}

/// An access to a device: at most eight bytes, within one page where it is memory.
public struct DeviceAccess: Equatable, Sendable {
  public enum Space: UInt8, Sendable { case memory, port }

  public var space: Space
  public var isWrite: Bool
  /// Bytes: 1 to 8.
  public var size: UInt8
  /// Elements of `size`: more than one where `EmulatorContext.blockData` holds them.
  public var count: UInt16
  /// Guest-physical, or the port's number.
  public var address: UInt64
  /// What is written.
  public var value: UInt64

  public init(
    _ space: Space, at address: UInt64, size: UInt8, count: UInt16 = 1, isWrite: Bool = false,
    value: UInt64 = 0
  ) {
    self.space = space
    self.isWrite = isWrite
    self.size = size
    self.count = count
    self.address = address
    self.value = value
  }
}

/// A value of up to sixteen bytes.
public struct Wide: Equatable, Sendable {
  public var low: UInt64
  public var high: UInt64

  public init(low: UInt64 = 0, high: UInt64 = 0) {
    self.low = low
    self.high = high
  }
}
