// SPDX-License-Identifier: Apache-2.0
import DequeModule
import Synchronization

/// A 16550A serial port (National Semiconductor PC16550D datasheet) with an infinitely fast line:
/// a byte written is sent before the write ends, and the receiver's time-out is over at once.
///
/// The sender at the line's other end heeds RTS, so what arrives early waits for a guest that
/// has opened the port.
final class UART: ByteDevice {
  private struct State {
    var interruptEnable: UInt8 = 0
    var lineControl: UInt8 = 0
    var modemControl: UInt8 = 0
    var scratch: UInt8 = 0
    var divisor: UInt16 = 12  // 9600 baud
    /// As last written, without the bits that reset.
    var fifoControl: UInt8 = 0
    var transmitterInterrupt = false
    var received: Deque<UInt8> = []
    /// What the sender still has.
    var waiting: Deque<UInt8> = []
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

  /// Interrupt identification, highest priority first.
  private enum Cause {
    static let received: UInt8 = 0x04
    static let timeOut: UInt8 = 0x0c
    static let transmitterEmpty: UInt8 = 0x02
    static let none: UInt8 = 0x01
  }

  private static let divisorLatch: UInt8 = 0x80  // of line control
  private static let requestToSend: UInt8 = 0x02  // of modem control
  private static let interruptOut: UInt8 = 0x08  // of modem control: OUT2 gates the line on a PC
  private static let loopback: UInt8 = 0x10  // of modem control
  private static let fifoDepth = 16

  private let state = Mutex(State())
  private let transmit: @Sendable (UInt8) -> Void
  private let interrupt: @Sendable (_ high: Bool) -> Void
  private let otherUse: @Sendable () -> Void

  /// `otherUse` is told of every access of the guest that transmits nothing.
  init(
    transmit: @escaping @Sendable (UInt8) -> Void,
    interrupt: @escaping @Sendable (_ high: Bool) -> Void,
    otherUse: @escaping @Sendable () -> Void = {}
  ) {
    self.transmit = transmit
    self.interrupt = interrupt
    self.otherUse = otherUse
  }

  /// Bytes for the guest.
  func receive(_ bytes: some Sequence<UInt8>) {
    state.withLock {
      $0.waiting.append(contentsOf: bytes)
      update(&$0)
    }
  }

  /// Bytes that the guest has not yet taken from the line.
  var waitingCount: Int { state.withLock { $0.waiting.count } }

  /// Whether the guest wants an interrupt when it may send more.
  var awaitsTransmitter: Bool { state.withLock { $0.interruptEnable & 0x02 != 0 } }

  func read(_ register: Int) -> UInt8 {
    otherUse()
    return state.withLock { state in
      defer { update(&state) }
      let latched = state.lineControl & Self.divisorLatch != 0
      switch register {
      case Register.data where latched: return UInt8(truncatingIfNeeded: state.divisor)
      case Register.data: return state.received.popFirst() ?? 0
      case Register.interruptEnable where latched: return UInt8(state.divisor >> 8)
      case Register.interruptEnable: return state.interruptEnable
      case Register.interruptIdentification:
        let cause = pending(state)
        if cause == Cause.transmitterEmpty { state.transmitterInterrupt = false }
        return cause | (state.fifoControl & 0x01 != 0 ? 0xc0 : 0)
      case Register.lineControl: return state.lineControl
      case Register.modemControl: return state.modemControl
      case Register.lineStatus: return 0x60 | (state.received.isEmpty ? 0 : 0x01)
      case Register.modemStatus: return modemStatus(state)
      case Register.scratch: return state.scratch
      default: return 0xff
      }
    }
  }

  func write(_ register: Int, _ value: UInt8) {
    let sent: UInt8? = state.withLock { state in
      defer { update(&state) }
      let latched = state.lineControl & Self.divisorLatch != 0
      switch register {
      case Register.data where latched: state.divisor = state.divisor & 0xff00 | UInt16(value)
      case Register.data:
        state.transmitterInterrupt = true
        if state.modemControl & Self.loopback == 0 { return value }
        // A byte too many is lost, as on an overrun.
        if state.received.count < Self.depth(state) { state.received.append(value) }
      case Register.interruptEnable where latched:
        state.divisor = state.divisor & 0xff | UInt16(value) << 8
      case Register.interruptEnable:
        // Enabling the transmitter's interrupt while it is empty raises one.
        if value & ~state.interruptEnable & 0x02 != 0 { state.transmitterInterrupt = true }
        state.interruptEnable = value & 0x0f
      case Register.interruptIdentification:  // FIFO control when written
        // A change of bit 0 empties the FIFO, and so does bit 1.
        let changes = (value ^ state.fifoControl) & 0x01 != 0
        if changes || value & 0x02 != 0 { state.received.removeAll() }
        state.fifoControl = value & 0xc1
      case Register.lineControl: state.lineControl = value
      case Register.modemControl: state.modemControl = value & 0x1f
      case Register.scratch: state.scratch = value
      default: break
      }
      return nil
    }
    // Outside the lock: the receiver may take its time.
    if let sent { transmit(sent) } else { otherUse() }
  }

  private func modemStatus(_ state: State) -> UInt8 {
    guard state.modemControl & Self.loopback != 0 else { return 0xb0 }  // DCD, DSR, CTS
    // RTS, DTR, OUT1 and OUT2 come back as CTS, DSR, RI and DCD.
    let output = state.modemControl
    return (output & 0x02) << 3 | (output & 0x01) << 5 | (output & 0x0c) << 4
  }

  private static func depth(_ state: State) -> Int {
    state.fifoControl & 0x01 != 0 ? fifoDepth : 1
  }

  private func pending(_ state: State) -> UInt8 {
    if state.interruptEnable & 0x01 != 0, !state.received.isEmpty {
      guard state.fifoControl & 0x01 != 0 else { return Cause.received }
      let trigger = [1, 4, 8, 14][Int(state.fifoControl >> 6)]
      return state.received.count >= trigger ? Cause.received : Cause.timeOut
    }
    if state.interruptEnable & 0x02 != 0, state.transmitterInterrupt {
      return Cause.transmitterEmpty
    }
    return Cause.none
  }

  /// Lets the sender go on, and drives the interrupt line.
  private func update(_ state: inout State) {
    let isOpen = state.modemControl & (Self.requestToSend | Self.loopback) == Self.requestToSend
    while isOpen, state.received.count < Self.depth(state), let byte = state.waiting.popFirst() {
      state.received.append(byte)
    }
    // In loop-back mode the output pins are idle, OUT2 too.
    let isGated = state.modemControl & (Self.interruptOut | Self.loopback) == Self.interruptOut
    let high = isGated && pending(state) != Cause.none
    guard high != state.lineIsHigh else { return }
    state.lineIsHigh = high
    interrupt(high)
  }
}
