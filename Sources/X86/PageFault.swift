// SPDX-License-Identifier: Apache-2.0

/// What an instruction does with a linear address. SDM vol. 3, 4.6.
public struct Access: Equatable, Sendable {
  public var isWrite: Bool
  /// Made at privilege level 3.
  public var isUser: Bool
  /// An instruction fetch.
  public var isExecute: Bool
  /// RFLAGS.AC, for an explicit access of supervisor code: with it SMAP does not apply.
  public var overridesSMAP: Bool

  public init(
    isWrite: Bool = false, isUser: Bool = false, isExecute: Bool = false,
    overridesSMAP: Bool = false
  ) {
    self.isWrite = isWrite
    self.isUser = isUser
    self.isExecute = isExecute
    self.overridesSMAP = overridesSMAP
  }
}

/// A page fault's error code; the faulting address is the caller's. SDM vol. 3, 4.7.
public struct PageFault: Error, Equatable, Sendable {
  public let errorCode: UInt32
  public init(errorCode: UInt32) { self.errorCode = errorCode }

  /// Not a page that is absent, but one that does not allow the access.
  public static var present: UInt32 { 1 << 0 }
  public static var write: UInt32 { 1 << 1 }
  public static var user: UInt32 { 1 << 2 }
  public static var reservedBit: UInt32 { 1 << 3 }
  public static var instructionFetch: UInt32 { 1 << 4 }

  /// Of an access in a mode, with `cause` as P and RSVD. A fetch is only told apart where a
  /// fetch can be refused.
  init(_ access: Access, mode: PagingMode, cause: UInt32) {
    var code = cause
    if access.isWrite { code |= Self.write }
    if access.isUser { code |= Self.user }
    if access.isExecute, mode.refusesFetches { code |= Self.instructionFetch }
    errorCode = code
  }
}

extension PagingMode {
  /// NX bits count.
  var hasNoExecute: Bool { efer.contains(.noExecute) && cr4.contains(.physicalAddressExtension) }
  var refusesFetches: Bool { hasNoExecute || cr4.contains(.smep) }
}

extension CR4 {
  /// Supervisor code does not run from user pages.
  public static let smep = CR4(rawValue: 1 << 20)
  /// Supervisor code does not touch user pages' data.
  public static let smap = CR4(rawValue: 1 << 21)
}
