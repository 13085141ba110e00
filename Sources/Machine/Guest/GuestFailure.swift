// SPDX-License-Identifier: Apache-2.0

/// The end of a guest by its own fault, as its vCPU saw it.
public struct GuestFailure: Equatable, Sendable, Error {
  public var virtualCPU: UInt32
  /// What happened, in one sentence.
  public var reason: String
  /// Registers in the order in which they are shown; empty if the device would not give them.
  public var registers: [Register]
  /// The newest exits, oldest first. Only on `/dev/apus`.
  public var lastExits: [LastExit]

  public struct Register: Equatable, Sendable {
    public var name: String
    public var value: UInt64
  }

  public struct LastExit: Equatable, Sendable {
    public var code: UInt64
    public var instructionPointer: UInt64
    public var information: UInt64
  }
}
