// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// A 16550A serial port (National Semiconductor PC16550D datasheet) with an infinitely fast line:
/// a byte written is sent before the write ends.
final class UART: ByteDevice {
  private struct State {
    var interruptEnable: UInt8 = 0
    var lineControl: UInt8 = 0
    var modemControl: UInt8 = 0
    var scratch: UInt8 = 0
    var divisor: UInt16 = 12  // 9600 baud
    var fifoEnabled = false
    var transmitterInterrupt = false
    var received: [UInt8] = []
    var lineIsHigh = false
  }

  private enum Register {
    static let data = 0
    static let interruptEnable = 1
    static let interruptIdentification = 2
    static let lineControl = 3
    static let modemControl = 4
    static let lineStatus = 5
    static let modemStatus = 6
    static let scratch = 7
  }

  private static let divisorLatch: UInt8 = 0x80  // of line control
  private static let loopback: UInt8 = 0x10  // of modem control
  private static let interruptOut: UInt8 = 0x08  // of modem control: OUT2 gates the line on a PC

  private let state = Mutex(State())
  private let transmit: @Sendable (UInt8) -> Void
  private let interrupt: @Sendable (_ high: Bool) -> Void

  init(
    transmit: @escaping @Sendable (UInt8) -> Void,
    interrupt: @escaping @Sendable (_ high: Bool) -> Void
  ) {
    self.transmit = transmit
    self.interrupt = interrupt
  }

  /// Bytes arrive on the line.
  func receive(_ bytes: some Sequence<UInt8>) {
    state.withLock {
      $0.received += bytes
      updateLine(&$0)
    }
  }

  func read(_ register: Int) -> UInt8 {
    state.withLock { state in
      defer { updateLine(&state) }
      let latched = state.lineControl & Self.divisorLatch != 0
      switch register {
      case Register.data where latched: return UInt8(truncatingIfNeeded: state.divisor)
      case Register.data: return state.received.isEmpty ? 0 : state.received.removeFirst()
      case Register.interruptEnable where latched: return UInt8(state.divisor >> 8)
      case Register.interruptEnable: return state.interruptEnable
      case Register.interruptIdentification:
        let cause = pending(state)
        if cause == 0x02 { state.transmitterInterrupt = false }
        return cause | (state.fifoEnabled ? 0xc0 : 0)
      case Register.lineControl: return state.lineControl
      case Register.modemControl: return state.modemControl
      case Register.lineStatus: return 0x60 | (state.received.isEmpty ? 0 : 0x01)
      case Register.modemStatus:
        guard state.modemControl & Self.loopback != 0 else { return 0xb0 }  // DCD, DSR, CTS
        // RTS, DTR, OUT1 and OUT2 come back as CTS, DSR, RI and DCD.
        let output = state.modemControl
        return (output & 0x02) << 3 | (output & 0x01) << 5 | (output & 0x0c) << 4
      case Register.scratch: return state.scratch
      default: return 0xff
      }
    }
  }

  func write(_ register: Int, _ value: UInt8) {
    let sent: UInt8? = state.withLock { state in
      defer { updateLine(&state) }
      let latched = state.lineControl & Self.divisorLatch != 0
      switch register {
      case Register.data where latched: state.divisor = state.divisor & 0xff00 | UInt16(value)
      case Register.data:
        state.transmitterInterrupt = true
        if state.modemControl & Self.loopback == 0 { return value }
        state.received.append(value)
      case Register.interruptEnable where latched:
        state.divisor = state.divisor & 0xff | UInt16(value) << 8
      case Register.interruptEnable:
        // Enabling the transmitter's interrupt while it is empty raises one.
        if value & ~state.interruptEnable & 0x02 != 0 { state.transmitterInterrupt = true }
        state.interruptEnable = value & 0x0f
      case Register.interruptIdentification:  // FIFO control when written
        state.fifoEnabled = value & 0x01 != 0
        if value & 0x02 != 0 { state.received.removeAll() }
      case Register.lineControl: state.lineControl = value
      case Register.modemControl: state.modemControl = value & 0x1f
      case Register.scratch: state.scratch = value
      default: break
      }
      return nil
    }
    // Outside the lock: the receiver may take its time.
    if let sent { transmit(sent) }
  }

  /// Interrupt identification: 0x01 when there is none.
  private func pending(_ state: State) -> UInt8 {
    if state.interruptEnable & 0x01 != 0, !state.received.isEmpty { return 0x04 }
    if state.interruptEnable & 0x02 != 0, state.transmitterInterrupt { return 0x02 }
    return 0x01
  }

  private func updateLine(_ state: inout State) {
    let high = pending(state) != 0x01 && state.modemControl & Self.interruptOut != 0
    guard high != state.lineIsHigh else { return }
    state.lineIsHigh = high
    interrupt(high)
  }
}
