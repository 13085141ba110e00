// SPDX-License-Identifier: Apache-2.0
import KVM

/// The virtual machine as devices see it: wires into its interrupt controllers.
final class InterruptLines: Sendable {
  let machine: VirtualMachine
  private let control: RunControl

  init(_ machine: consuming VirtualMachine, control: RunControl) {
    self.machine = machine
    self.control = control
  }

  func set(_ line: UInt32, high: Bool) {
    do {
      try machine.setInterruptLine(line, high: high)
    } catch {
      control.finish(.hostFailed("\(error)"))
    }
  }
}
