// SPDX-License-Identifier: Apache-2.0

/// The instructions of SVM, as the monitor has them and a test pretends to.
public protocol SVMInstructions {
  /// VMLOAD, VMRUN, VMSAVE; addresses of VMCBs are physical. GIF is 0 before and after.
  static func enter(guest: UInt64, host: UInt64, registers: UnsafeMutableRawPointer)
  /// Opens GIF for a moment, so that an NMI that caused an exit is taken in root mode.
  static func takePendingNMI()
  /// Runs the monitor's handler for a machine check that caused an exit.
  static func takeMachineCheck()
}
