// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing

@testable import MonitorCore

@Suite("A trace")
struct TraceTests {
  let machine = PretendedMachine()
  var cpu: PretendedMachine.CPU { machine.cpu }
  var unit: PretendedUnit { machine.unit }
  private static let physical: UInt64 = 16 << 20

  private func begin() {
    machine.memory[Self.physical + 8, as: UInt32.self] = APUS_TRACE_FIRST
    cpu.control.trace = Self.physical
    cpu.control.traces = 1
    cpu.control.requests |= APUS_REQUEST_TRACE.rawValue
  }

  private var count: UInt64 { machine.memory[Self.physical, as: UInt64.self] }
  private func event(_ number: UInt64) -> apus_trace_event {
    machine.memory[
      Self.physical + UInt64(APUS_TRACE_FIRST) + number % UInt64(APUS_TRACE_EVENTS) * 32,
      as: apus_trace_event.self]
  }
  private var kinds: [UInt32] { (0..<count).map { event($0).kind } }

  private func run(_ exits: GuestExit...) {
    unit.steps = exits.map { exit in { _, _ in exit } }
    _ = cpu.runGuest()
  }

  @Test("has no event while nobody wants one, and costs an entry no look at anything")
  func off() {
    run(.nonMaskableInterrupt, .halt)
    #expect(count == 0)
    #expect(!cpu.state.attention.contains(.tracing))
  }

  @Test(
    "has an event for each entry, each exit with what it was about, and each return to the client")
  func events() {
    begin()
    unit.instructionPointer = 0x5000
    cpu.state.registers.rcx = 0xffff_ffff_0000_0c0c
    run(.readMSR, .cpuid, .exception(vector: 17, errorCode: 0), .halt)
    // The first entry looks at everything: the vCPU's mode and the monitor's timer.
    #expect(kinds == [0, 5, 4, 1, 2, 1, 2, 1, 2, 1, 2, 6])
    #expect(event(4).cause == 9)
    #expect(event(4).detail == 0x0c0c)
    #expect(event(4).rip == 0x5000)
    #expect(event(6).cause == 7)
    #expect(event(8).cause == 1)
    #expect(event(8).detail == 17)
    // The #AC is delivered: a hardware exception with an error code. SDM vol. 3, table 25-17.
    #expect(event(9).detail == 0x8000_0b11)
    #expect(event(11).cause == 5)
  }

  @Test("ends when the driver says so, and goes on in the same place")
  func onAndOff() {
    begin()
    run(.halt)
    let first = count
    cpu.control.traces = 0
    cpu.control.requests |= APUS_REQUEST_TRACE.rawValue
    run(.cpuid, .halt)
    // KVM_RUN, and the request itself.
    #expect(count == first + 2)
    cpu.control.traces = 1
    cpu.control.requests |= APUS_REQUEST_TRACE.rawValue
    run(.halt)
    #expect(event(first + 2).kind == 0)
    #expect(count == first + 6)
  }

  @Test("begins again at its start when it is full, and counts all")
  func wraps() {
    begin()
    for _ in 0..<1000 { run(.cpuid, .halt) }
    let all = count
    #expect(all > UInt64(APUS_TRACE_EVENTS))
    #expect(event(all - 1).kind == 6)
    #expect(event(all - 2).kind == 2)
    let next = machine.memory[Self.physical + 8, as: UInt32.self]
    #expect(
      UInt64(next) == UInt64(APUS_TRACE_FIRST) + all % UInt64(APUS_TRACE_EVENTS) * 32)
  }

  @Test("is left by a vCPU that leaves its CPU, and found again")
  func binding() {
    begin()
    run(.halt)
    let before = count
    cpu.unbind()
    #expect(count == before)
    cpu.bind()
    #expect(count == before + 1)
    #expect(event(before).kind == 0)
  }

  @Test("has the numbers of apus.h for the causes of exits")
  func causes() {
    let names: [(Exit, String)] = [
      (.nonMaskableInterrupt, "nmi"), (.exception, "exception"), (.halt, "hlt"),
      (.nestedFault, "nested-fault"), (.interruptWindow, "interrupt-window"),
      (.invalidState, "invalid-state"), (.other, "other"), (.cpuid, "cpuid"), (.port, "port"),
      (.readMSR, "msr-read"), (.writeMSR, "msr-write"), (.hypercall, "hypercall"),
      (.shutdown, "shutdown"), (.virtualizationInstruction, "virtualisation"),
      (.cacheControl, "cache-control"), (.setExtendedControl, "xsetbv"),
      (.controlRegister, "control-register"), (.debugRegister, "debug-register"),
      (.softwareInterrupt, "software-interrupt"), (.preemptionTimer, "preemption-timer"),
      (.interrupt, "interrupt"),
    ]
    #expect(names.count == Int(APUS_TRACE_EXIT_COUNT.rawValue))
    for (exit, name) in names {
      #expect(String(cString: apus_trace_exit_name(UInt32(exit.rawValue))) == name)
    }
    #expect(MemoryLayout<apus_trace_event>.size == 32)
    #expect(Int(APUS_TRACE_FIRST + APUS_TRACE_EVENTS * 32) == Int(APUS_TRACE_SIZE))
  }
}
