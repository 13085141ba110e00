// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing
import X86

@testable import MonitorCore

/// A guest interrupts nobody beyond its VM: docs/Architecture.md, Interrupts.
@Suite("Interrupt commands of a guest")
struct InterruptCommandTests {
  let machine = PretendedMachine(cpus: 3)

  init() {
    for cpu in machine.cpus {
      #expect(cpu.setAPICBase(APICBase(rawValue: 0xfee0_0c00), by: .guest))
    }
    for processor in machine.processors { processor.sent = [] }
  }

  /// Writes the x2APIC's command register; false: #GP.
  func write(_ value: UInt64) -> Bool {
    machine.cpu.writeMSR(MSR(rawValue: 0x830), value, by: .guest)
  }

  @Test("A vector goes as a fixed interrupt to the CPU that runs the addressed vCPU")
  func fixed() {
    #expect(write(0x2_0000_00fd))
    #expect(machine.processor.sent == [0x42_0000_00fd])
  }

  @Test("Everything that is sent comes after what was written before")
  func order() {
    for command in [0x2_0000_00fd, 0xc_00fc, 0x1_0000_4500, 0x1_0000_4601] as [UInt64] {
      #expect(write(command))
    }
    #expect(machine.processor.sent.count == 5)
    #expect(machine.processor.disorderly == 0)
  }

  @Test("All bits but vector and destination are the monitor's")
  func sanitised() {
    // Reserved bits, level, assert and status set; lowest priority.
    #expect(write(0x1_0000_f1fd | 0xfff3_0000 & ~0xc_0000))
    #expect(machine.processor.sent == [0x41_0000_00fd])
  }

  @Test("A broadcast reaches the VM's own CPUs one by one, never everyone on the machine")
  func broadcast() {
    #expect(write(0xffff_ffff_0000_00fd))
    #expect(machine.processor.sent == [0x40_0000_00fd, 0x41_0000_00fd, 0x42_0000_00fd])
    machine.processor.sent = []
    #expect(write(0xc_00fc))
    #expect(machine.processor.sent == [0x41_0000_00fc, 0x42_0000_00fc])
  }

  @Test("Lowest priority picks one")
  func lowestPriority() {
    #expect(write(0xffff_ffff_0000_01fd))
    #expect(machine.processor.sent.count == 1)
  }

  @Test("An ID that is no vCPU's reaches nobody, not even where it is a CPU's of the machine")
  func foreign() {
    #expect(write(0x40_0000_00fd))
    #expect(write(0x7_0000_00fd))
    #expect(machine.processor.sent == [])
  }

  @Test("A vCPU that is on no CPU is left out")
  func unbound() {
    machine.cpus[2].unbind()
    withUnsafeMutableBytes(of: &machine.cpu.vm.apic_ids) {
      $0.storeBytes(of: APUS_NO_APIC_ID, toByteOffset: 8, as: UInt32.self)
    }
    #expect(write(0xc_00fc))
    #expect(machine.processor.sent == [0x41_0000_00fc])
  }

  @Test("A vCPU that is on no CPU yet finds its start-up when it first runs")
  func unboundStartUp() {
    machine.cpu.withMachine { $0.apics[2] = APICAddress(id: 2) }
    withUnsafeMutableBytes(of: &machine.cpu.vm.apic_ids) {
      $0.storeBytes(of: APUS_NO_APIC_ID, toByteOffset: 8, as: UInt32.self)
    }
    #expect(write(0x2_0000_4500))
    #expect(write(0x2_0000_4608))
    #expect(machine.processor.sent == [])
    #expect(requests == [0, 0, 6])
  }

  @Test(
    "SMI, remote read and ExtINT are refused", arguments: [2, 3, 7] as [UInt64],
    [0, 1, 2, 3] as [UInt64])
  func refused(mode: UInt64, shorthand: UInt64) {
    #expect(!write(1 << 32 | shorthand << 18 | mode << 8 | 0x41))
    #expect(machine.processor.sent == [])
    #expect(requests == [0, 0, 0])
  }

  @Test("Vectors below 16 are not sent")
  func illegalVector() {
    #expect(write(0x1_0000_000f))
    #expect(machine.processor.sent == [])
    #expect(write(0x1_0000_0010))
    #expect(machine.processor.sent.count == 1)
  }

  @Test("NMI, INIT and start-up become requests, and the CPU's NMI says to look at them")
  func requested() {
    #expect(write(0x1_0000_4400))
    #expect(requests == [0, 1, 0])
    // To the physical APIC ID, delivery mode NMI.
    #expect(machine.processor.sent == [0x41_0000_0400])
    #expect(write(0x2_0000_4500))
    #expect(requests == [0, 1, 2])
    #expect(write(0x2_0000_4608))
    #expect(requests == [0, 1, 6])
    #expect(machine.cpu.machine.startUpVectors[2] == 8)
  }

  @Test("A request of its own is told as well: the requests may have been looked at already")
  func own() {
    #expect(write(0x4_0400))
    #expect(requests == [1, 0, 0])
    #expect(machine.processor.sent == [0x40_0000_0400])
  }

  @Test("An INIT takes a start-up with it that was not served yet")
  func initializeAfterStartUp() {
    #expect(write(0x1_0000_4500))
    #expect(write(0x1_0000_4608))
    #expect(requests == [0, 6, 0])
    #expect(write(0x1_0000_4500))
    #expect(requests == [0, 2, 0])
  }

  @Test("The level de-assert of INIT does nothing")
  func deassert() {
    #expect(write(0x1_0000_8500))
    #expect(requests == [0, 0, 0])
  }

  @Test("The old page's command register names an 8-bit destination and never faults")
  func xAPIC() {
    let machine = PretendedMachine(cpus: 2)
    machine.processor.sent = []
    let cpu = machine.cpu
    cpu.writeXAPIC(.interruptCommandHigh, 0x0100_0000)
    cpu.writeXAPIC(.interruptCommand, 0x40fd)
    #expect(machine.processor.sent == [0x41_0000_00fd])
    #expect(cpu.readXAPIC(.interruptCommand) == 0x40fd)
    #expect(cpu.readXAPIC(.interruptCommandHigh) == 0x0100_0000)
    cpu.writeXAPIC(.interruptCommand, 0x42fd)
    #expect(machine.processor.sent.count == 1, "an SMI")
    cpu.writeXAPIC(.interruptCommandHigh, 0xff00_0000)
    cpu.writeXAPIC(.interruptCommand, 0x10fd)
    #expect(machine.processor.sent.count == 3)
    #expect(cpu.readXAPIC(.interruptCommand) == 0x00fd, "delivery status is idle")
  }

  var requests: [UInt32] { (0..<3).map { machine.cpu.machine.requests[$0] } }
}
