// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// ACPI's fixed hardware (ACPI 6.5, 4.8.3): PM1 status and enable, then PM1 control. It only
/// knows how to power off.
final class PowerManagement: Device {
  /// SLP_TYP that `\_S5` names.
  static let sleepType5: UInt8 = 5

  private struct State {
    var enable: UInt16 = 0
    var sleepType: UInt16 = 0
  }

  private let state = Mutex(State())
  private let powerOff: @Sendable () -> Void

  init(powerOff: @escaping @Sendable () -> Void) { self.powerOff = powerOff }

  func read(_ offset: Int, size: Int) -> UInt64 {
    state.withLock {
      switch offset {
      case 0: size >= 4 ? UInt64($0.enable) << 16 : 0  // nothing ever happened
      case 2: UInt64($0.enable)
      case 4: UInt64(0x1 | $0.sleepType << 10)  // SCI_EN: in ACPI mode
      default: .max
      }
    }
  }

  func write(_ offset: Int, _ value: UInt64, size: Int) {
    switch offset {
    case 0 where size >= 4: state.withLock { $0.enable = UInt16(truncatingIfNeeded: value >> 16) }
    case 2: state.withLock { $0.enable = UInt16(truncatingIfNeeded: value) }
    case 4:
      let type = UInt16(value >> 10) & 0x7
      state.withLock { $0.sleepType = type }
      if value & 1 << 13 != 0, type == UInt16(Self.sleepType5) { powerOff() }
    default: break
    }
  }
}
