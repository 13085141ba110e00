// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// ACPI's fixed hardware (ACPI 6.5, 4.8.3): PM1 status and enable, then PM1 control. It knows how
/// to power off, and has a power button.
final class PowerManagement: Device {
  /// SLP_TYP that `\_S5` names.
  static let sleepType5: UInt8 = 5
  /// PWRBTN_STS and PWRBTN_EN: the same bit of status and enable.
  private static let powerButton: UInt16 = 1 << 8

  private struct State {
    var status: UInt16 = 0
    var enable: UInt16 = 0
    var sleepType: UInt16 = 0
    var lineIsHigh = false
  }

  private let state = Mutex(State())
  private let interrupt: @Sendable (_ high: Bool) -> Void
  private let powerOff: @Sendable () -> Void

  /// `interrupt` drives the system control interrupt, which is level-triggered.
  init(
    interrupt: @escaping @Sendable (_ high: Bool) -> Void = { _ in },
    powerOff: @escaping @Sendable () -> Void
  ) {
    self.interrupt = interrupt
    self.powerOff = powerOff
  }

  /// Presses the power button. Whether the guest has enabled its event: otherwise it will not
  /// notice before it does.
  func pressPowerButton() -> Bool {
    state.withLock {
      $0.status |= Self.powerButton
      update(&$0)
      return $0.enable & Self.powerButton != 0
    }
  }

  func read(_ offset: Int, size: Int) -> UInt64 {
    state.withLock {
      switch offset {
      case 0: UInt64($0.status) | (size >= 4 ? UInt64($0.enable) << 16 : 0)
      case 2: UInt64($0.enable)
      case 4: UInt64(0x1 | $0.sleepType << 10)  // SCI_EN: in ACPI mode
      default: .max
      }
    }
  }

  func write(_ offset: Int, _ value: UInt64, size: Int) {
    switch offset {
    case 0:
      state.withLock {
        // Bits of the status are cleared by writing 1.
        $0.status &= ~UInt16(truncatingIfNeeded: value)
        if size >= 4 { $0.enable = UInt16(truncatingIfNeeded: value >> 16) }
        update(&$0)
      }
    case 2:
      state.withLock {
        $0.enable = UInt16(truncatingIfNeeded: value)
        update(&$0)
      }
    case 4:
      let type = UInt16(value >> 10) & 0x7
      state.withLock { $0.sleepType = type }
      if value & 1 << 13 != 0, type == UInt16(Self.sleepType5) { powerOff() }
    default: break
    }
  }

  /// Drives the interrupt line: high as long as something enabled has happened.
  private func update(_ state: inout State) {
    let high = state.status & state.enable != 0
    guard high != state.lineIsHigh else { return }
    state.lineIsHigh = high
    interrupt(high)
  }
}
