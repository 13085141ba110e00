// SPDX-License-Identifier: Apache-2.0
import Glibc
import KVM
import Synchronization

/// An NMI that another thread wants of a vCPU. The vCPU's own thread delivers it, and is brought
/// out of the guest for that.
final class RequestedNMI: Sendable {
  private struct State {
    var isPending = false
    var thread: pthread_t?
  }

  private let state = Mutex(State())

  /// The calling thread begins to run the vCPU.
  func begin() { state.withLock { $0.thread = pthread_self() } }

  func end() { state.withLock { $0.thread = nil } }

  func request(of virtualCPU: borrowing VirtualCPU) {
    state.withLock {
      $0.isPending = true
      // A signal that comes before KVM_RUN begins is not lost: KVM_RUN then returns at once.
      virtualCPU.requestExit()
      if let thread = $0.thread { Thread.interrupt(thread) }
    }
  }

  /// The vCPU's thread, before each KVM_RUN. The end of the run needs no care here: it interrupts
  /// the thread until it has come out.
  func deliver(to virtualCPU: borrowing VirtualCPU) throws(KVMError) {
    let isPending = state.withLock { state in
      defer { state.isPending = false }
      if state.isPending { virtualCPU.withdrawExitRequest() }
      return state.isPending
    }
    if isPending { try virtualCPU.injectNMI() }
  }
}
