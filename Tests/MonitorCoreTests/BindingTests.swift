// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing

@testable import MonitorCore

@Suite("BIND")
struct BindingTests {
  let machine = PretendedMachine(cpus: 2)
  var cpu: PretendedMachine.CPU { machine.cpu }

  @Test("A VM is initialised once")
  func once() {
    cpu.machine.pitChange = 5
    machine.cpus[1].bind()
    #expect(cpu.machine.pitChange == 5)
  }

  @Test("Of two vCPUs that come at once, the second finds what the first has initialised")
  func together() {
    let lock = cpu.pages.lock
    cpu.machine.isInitialised = false
    lock.pointee.word = 1
    var waits = 0
    machine.processors[1].onPause = { [cpu] in
      #expect(!cpu.machine.isInitialised)
      waits += 1
      cpu.machine.isInitialised = true
      cpu.machine.pitChange = 7
      lock.pointee.word = 0
    }
    machine.cpus[1].bind()
    #expect(waits == 1)
    #expect(cpu.machine.pitChange == 7)
    #expect(lock.pointee.word == 0)
  }
}
