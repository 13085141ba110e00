// SPDX-License-Identifier: Apache-2.0

/// An exception that a guest's instruction raises: what an emulator throws instead of going on.
public struct GuestFault: Error, Equatable, Sendable {
  public var vector: ExceptionVector
  public var errorCode: UInt32
  /// CR2 of a page fault.
  public var address: UInt64

  public init(_ vector: ExceptionVector, errorCode: UInt32 = 0, address: UInt64 = 0) {
    self.vector = vector
    self.errorCode = errorCode
    self.address = address
  }

  public static var generalProtection: GuestFault { GuestFault(.generalProtection) }
}
