// SPDX-License-Identifier: Apache-2.0
import MonitorCore

/// EVENTINJ and EXITINTINFO. APM vol. 2, 15.20 and 15.7.2.
public enum EventInjection {
  static var valid: UInt64 { 1 << 31 }
  static var errorValid: UInt64 { 1 << 11 }

  public static func encode(_ event: Event) -> UInt64 {
    var value = valid | UInt64(event.kind.rawValue) << 8 | UInt64(event.vector)
    if let code = event.errorCode { value |= errorValid | UInt64(code) << 32 }
    return value
  }

  /// Nil if bit 31 is clear: the other bits are then left over from before.
  public static func decode(_ value: UInt64) -> Event? {
    guard value & valid != 0 else { return nil }
    let vector = UInt8(truncatingIfNeeded: value)
    var kind = Event.Kind(rawValue: UInt8(truncatingIfNeeded: value >> 8 & 7)) ?? .exception
    // QEMU reports an interrupt as an exception (measured); no exception has such a vector.
    if kind == .exception, vector >= 32 { kind = .external }
    let error = value & errorValid != 0 ? UInt32(truncatingIfNeeded: value >> 32) : nil
    return Event(kind: kind, vector: vector, errorCode: error)
  }
}
