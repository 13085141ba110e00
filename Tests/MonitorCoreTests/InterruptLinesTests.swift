// SPDX-License-Identifier: Apache-2.0
import Contract
import Devices
import Testing
import X86

@testable import MonitorCore

@Suite("Interrupt lines")
struct InterruptLinesTests {
  let machine = PretendedMachine(cpus: 2)
  var cpu: PretendedMachine.CPU { machine.cpu }

  init() {
    for cpu in machine.cpus {
      #expect(cpu.setAPICBase(APICBase(rawValue: 0xfee0_0d00), by: .client))
    }
    // The PICs as a kernel leaves them that uses the I/O APIC.
    cpu.withMachine { machine in
      machine.controllers.pic.write(port: 0x21, 0xff)
      machine.controllers.pic.write(port: 0xa1, 0xff)
    }
  }

  /// Writes a redirection entry as a guest does: 82093AA, 3.2.4.
  func setEntry(_ pin: UInt32, _ value: UInt64) {
    for (half, word) in [value & 0xffff_ffff, value >> 32].enumerated() {
      cpu.write(.ioapic, 0xfec0_0000, UInt64(0x10 + 2 * pin) + UInt64(half))
      cpu.write(.ioapic, 0xfec0_0010, word)
    }
    for processor in machine.processors { processor.sent = [] }
  }

  /// What the driver does with a line that it does not deliver itself.
  func setLine(_ line: UInt32, _ level: Bool, by cpu: PretendedMachine.CPU? = nil) {
    let bit: UInt32 = 1 << line
    if level, self.cpu.vm.line_levels & bit == 0 { self.cpu.vm.line_edges |= bit }
    self.cpu.vm.line_levels = self.cpu.vm.line_levels & ~bit | (level ? bit : 0)
    (cpu ?? self.cpu).updateLines()
  }

  func route(_ line: Int) -> UInt64 {
    withUnsafeBytes(of: cpu.vm.line_routes) {
      $0.load(fromByteOffset: line * 8, as: UInt64.self)
    }
  }

  @Test("A masked pin's line is masked for the driver, if the PICs do not listen either")
  func masked() {
    setEntry(4, 0x1_0034)
    #expect(route(4) == 1 << 62)
    cpu.writePort(0x21, 0xef)
    #expect(route(4) == 0)
    #expect(route(20) == 1 << 62)
  }

  @Test("An edge that came while its pin was masked is lost, however late the monitor learns of it")
  func maskedEdge() {
    setEntry(4, 1 << 56 | 0x1_0034)
    cpu.vm.line_edges |= 1 << 4
    cpu.write(.ioapic, 0xfec0_0000, 0x18)
    cpu.write(.ioapic, 0xfec0_0010, 0x34)
    #expect(machine.processor.sent == [])
    #expect(cpu.vm.line_edges == 0)
  }

  @Test("An edge-triggered pin with one target is delivered by the driver itself")
  func direct() {
    setEntry(4, 1 << 56 | 0x34)
    #expect(route(4) == UInt64(1) << 63 | 0x41 << 8 | 0x34)
    setEntry(4, 0xff << 56 | 0x34)
    #expect(route(4) == 0, "no such APIC in x2APIC mode")
    setEntry(4, 1 << 56 | 0x734)
    #expect(route(4) == 0, "ExtINT")
    setEntry(4, 1 << 56 | 0x8034)
    #expect(route(4) == 0, "level")
    setEntry(4, 1 << 56 | 0x0f)
    #expect(route(4) == 0, "an illegal vector")
  }

  @Test("Edges without end leave room for other requests, and none of them is lost")
  func endless() {
    setEntry(4, 1 << 56 | 0x34)
    machine.processor.onSend = { [cpu] in cpu.vm.line_edges |= 1 << 4 }
    cpu.vm.line_edges |= 1 << 4
    cpu.updateLines()
    let sent = machine.processor.sent.count
    #expect((10...1000).contains(sent))
    // It asks itself to go on: an NMI, SDM vol. 3, 11.6.1.
    #expect(machine.processor.sent.last == 0x40_0000_0400)
    machine.processor.onSend = {}
    machine.processor.sent = []
    #expect(!cpu.serveRequests())
    #expect(machine.processor.sent == [0x41_0000_0034])
    #expect(cpu.vm.line_edges == 0)
    #expect(!cpu.serveRequests())
    #expect(machine.processor.sent.count == 1)
  }

  @Test("An edge that the driver delivered itself is not sent again while its line is high")
  func deliveredByDriver() {
    setEntry(4, 1 << 56 | 0x34)
    #expect(route(4) >> 63 == 1)
    cpu.vm.line_levels |= 1 << 4
    setEntry(4, 1 << 56 | 0x1_0034)
    setEntry(4, 1 << 56 | 0x34)
    cpu.updateLines()
    #expect(machine.processor.sent == [])
    #expect(machine.processors[1].sent == [])
  }

  @Test("A pin with several targets is the monitor's, each rise one interrupt for each")
  func several() {
    // Logical, cluster 0, both bits.
    setEntry(4, 3 << 56 | 0x834)
    #expect(route(4) == 0)
    setLine(4, true)
    #expect(machine.processor.sent == [0x40_0000_0034, 0x41_0000_0034])
    setLine(4, false)
    setLine(4, true)
    #expect(machine.processor.sent.count == 4)
  }

  @Test(
    "A level-triggered interrupt is its target's to take, with its EOI watched, until it is low")
  func level() {
    setEntry(10, 0xa051)
    setLine(10, true)
    #expect(machine.processor.selfInterrupts == [0x51])
    #expect(machine.unit.exits(0x80b).writes)
    cpu.updateLines()
    #expect(machine.processor.selfInterrupts == [0x51], "still in service")
    // In service: word 2, bit 0x11.
    machine.processor.msrs[0x812] = 1 << 0x11
    #expect(cpu.writeMSR(MSR(rawValue: 0x80b), 0, by: .guest))
    #expect(machine.processor.selfInterrupts == [0x51, 0x51], "the line is high still")
    setLine(10, false)
    #expect(cpu.writeMSR(MSR(rawValue: 0x80b), 0, by: .guest))
    #expect(machine.processor.selfInterrupts == [0x51, 0x51])
    #expect(!machine.unit.exits(0x80b).writes)
  }

  /// SDM vol. 3, 11.8.4. Linux decides by it whether the I/O APIC was told of the EOI.
  @Test("The trigger mode register says how a vector came last, and exits to be read")
  func triggerMode() {
    setEntry(10, 0xa051)
    #expect(cpu.readX2APIC(APICRegister(rawValue: 0x1a)) == 0)
    setLine(10, true)
    #expect(cpu.readX2APIC(APICRegister(rawValue: 0x1a)) == 1 << 0x11)
    #expect(cpu.readXAPIC(APICRegister(rawValue: 0x1a)) == 1 << 0x11)
    #expect(machine.unit.exits(0x81a).reads && !machine.unit.exits(0x812).reads)
    setLine(10, false)
    machine.processor.msrs[0x812] = 1 << 0x11
    #expect(cpu.writeMSR(MSR(rawValue: 0x80b), 0, by: .guest))
    #expect(machine.unit.exits(0x80b).writes == false)
    machine.processor.msrs[0x812] = 0
    #expect(cpu.readX2APIC(APICRegister(rawValue: 0x1a)) == 1 << 0x11, "as it came last")
    // An edge with this vector, in service.
    machine.processor.msrs[0x812] = 1 << 0x11
    #expect(cpu.readX2APIC(APICRegister(rawValue: 0x1a)) == 0)
    machine.processor.msrs[0x812] = 0
    #expect(cpu.readX2APIC(APICRegister(rawValue: 0x1a)) == 0)
  }

  @Test("An APIC that is switched off is no destination, in any mode")
  func off() {
    let command = InterruptCommand(rawValue: 0x41)
    var address = APICAddress(id: 0)
    #expect(address.matches(command, from: 1))
    #expect(address.forDriver & APUS_APIC_IS_OFF_ == 0)
    address.isEnabled = false
    #expect(!address.matches(command, from: 1))
    #expect(!address.matches(InterruptCommand(rawValue: 0x8_0041), from: 1))
    #expect(address.forDriver == APUS_APIC_IS_OFF_)
    #expect(cpu.setAPICBase(APICBase(rawValue: 0xfee0_0100), by: .client))
    #expect(!cpu.state.apic.address.isEnabled)
  }

  @Test("One for another vCPU is asked of it, and it watches its own EOI")
  func levelElsewhere() {
    setEntry(10, 1 << 56 | 0xa051)
    setLine(10, true)
    #expect(machine.processor.selfInterrupts == [])
    #expect(machine.processor.sent == [0x41_0000_0400])
    #expect(!machine.unit.exits(0x80b).writes)
    let other = machine.cpus[1]
    other.control.requests = APUS_REQUEST_EXIT.rawValue
    #expect(other.runGuest() == -4)
    #expect(machine.processors[1].selfInterrupts == [0x51])
    #expect(machine.units[1].exits(0x80b).writes)
  }

  @Test("A line may lead to another pin, or to none")
  func wiring() {
    withUnsafeMutableBytes(of: &cpu.vm.line_pins) {
      $0[0] = 2
      $0[2] = UInt8(APUS_NO_PIN)
    }
    // The driver asks for that after each change.
    cpu.updateLines()
    setEntry(2, 0x30)
    #expect(route(0) == UInt64(1) << 63 | 0x40 << 8 | 0x30)
    #expect(route(2) == 1 << 62)
  }

  @Test("An NMI through a pin becomes a request")
  func nmi() {
    setEntry(4, 1 << 56 | 0x400)
    setLine(4, true)
    #expect(cpu.machine.requests[1] == 1)
  }

  @Test("Another vCPU that sees a PIC's line rise tells the one that the PICs are wired to")
  func pic() {
    for (port, value) in [(0x20, 0x11), (0x21, 0x30), (0x21, 4), (0x21, 1), (0x21, 0xef)]
      as [(UInt16, UInt8)]
    { cpu.writePort(port, value) }
    machine.processors[1].sent = []
    setLine(4, true, by: machine.cpus[1])
    #expect(machine.processors[1].sent == [0x40_0000_0400])
    #expect(cpu.machine.requests[0] == VCPURequest.external.rawValue)
  }
}
