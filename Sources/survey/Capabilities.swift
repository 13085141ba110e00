// SPDX-License-Identifier: Apache-2.0
import Glibc
import HostileCalls

/// KVM_CHECK_EXTENSION of every number that Linux 6.1 has, and some more.
struct Capabilities {
  let device: Int32
  private static let count = 240

  func show() {
    guard let machine = Machine(device) else { return print("no VM") }
    for number in 0..<UInt64(Self.count) {
      let ofDevice = call(device, HOSTILE_CHECK_EXTENSION, number)
      let ofMachine = call(machine.machine, HOSTILE_CHECK_EXTENSION, number)
      print("cap \(number) \(ofDevice) \(ofMachine)")
    }
    machine.close()
  }
}
