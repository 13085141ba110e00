// SPDX-License-Identifier: Apache-2.0
import MonitorCore
import X86

/// VM-entry interruption information, and what exits say in the same layout about the event
/// that caused or met them. SDM vol. 3, 25.8.3, 25.9.2 and 25.9.3.
public enum EventInjection {
  static var valid: UInt32 { 1 << 31 }
  static var errorValid: UInt32 { 1 << 11 }

  /// Interruption types. SDM vol. 3, table 25-17.
  enum Kind: UInt32 {
    case external = 0
    case nonMaskable = 2
    case hardwareException = 3
    case softwareInterrupt = 4
    /// INT1.
    case privilegedException = 5
    /// INT3 and INTO.
    case softwareException = 6
    case other = 7
  }

  static func kind(_ information: UInt32) -> Kind? { Kind(rawValue: information >> 8 & 7) }

  /// An exception has an error code just where the processor pushes one, which it never does in
  /// real mode: an entry that says otherwise fails. SDM vol. 3, 27.2.1.3.
  public static func encode(
    _ event: Event, isProtected: Bool
  ) -> (information: UInt32, errorCode: UInt32) {
    let information = valid | UInt32(event.kind.rawValue) << 8 | UInt32(event.vector)
    guard event.kind == .exception, isProtected,
      ExceptionVector(rawValue: event.vector)?.pushesErrorCode ?? false
    else { return (information, 0) }
    return (information | errorValid, event.errorCode ?? 0)
  }

  /// Nil if bit 31 is clear.
  public static func decode(_ information: UInt32, errorCode: UInt32) -> Event? {
    guard information & valid != 0 else { return nil }
    let kind: Event.Kind =
      switch kind(information) {
      case .external: .external
      case .nonMaskable: .nonMaskable
      // The instruction is executed again: its address is the guest's RIP.
      case .softwareInterrupt, .privilegedException, .softwareException: .software
      case .hardwareException, .other, nil: .exception
      }
    return Event(
      kind: kind, vector: UInt8(truncatingIfNeeded: information),
      errorCode: information & errorValid != 0 ? errorCode : nil)
  }
}
