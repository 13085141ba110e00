// SPDX-License-Identifier: Apache-2.0
import X86

/// Events that the monitor gives the guest at its current instruction.
extension VirtualCPU {
  /// Queues a fault for the guest at its current instruction.
  @inline(never)
  func inject(_ vector: ExceptionVector, errorCode: UInt32 = 0) {
    putOffInjection()
    if vector.isFault { unit.flags.insert(.resume) }
    unit.injection = Event(
      kind: .exception, vector: vector.rawValue,
      errorCode: vector.pushesErrorCode ? errorCode : nil)
  }

  /// Makes room for another event.
  func putOffInjection() {
    guard let event = unit.injection else { return }
    unit.injection = nil
    switch event.kind {
    case .external: state.deferredInterrupt = event.vector
    case .nonMaskable: pendNMIs(1)
    case .exception, .software: break
    }
  }
}
