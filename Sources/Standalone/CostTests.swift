// SPDX-License-Identifier: Apache-2.0
import Contract
import Guests
import StandaloneEntry

/// What an exit costs: guests that make the same one over and over. `apus-lab costs` counts the
/// instructions from outside; here is said where the guests are, and how long they took.
enum CostTests {
  static var all: [Test] {
    [
      Test("costs", byRequest: true) { bench throws(Failure) in
        try exits(bench)
        try accesses(bench)
        try traced(bench)
        try kicks(bench)
      }
    ]
  }

  /// With a second vCPU, that there may be one to send an interrupt to.
  private static func exits(_ bench: Bench) throws(Failure) {
    guard let spin = GuestImage.find("spin") else { throw .noGuest }
    let cpu = try bench.secondCPU()
    let first = try bench.guest("costs")
    let second = VirtualCPU(first.machine, id: 1)
    try second.bind(to: cpu)
    try second.start(spin, x2APIC: true)
    try second.startRunning()
    try second.awaitResult(0, above: 0)
    try first.runToEnd()
    write(first.machine)
    try second.request(APUS_REQUEST_EXIT)
    guard case .interrupted = try second.finishRunning() else { throw .timeout("-EINTR") }
    try second.unbind()
    try cpu.park()
    try first.unbind()
  }

  private static func accesses(_ bench: Bench) throws(Failure) {
    let vcpu = try bench.guest("costs-xapic", x2APIC: false)
    try vcpu.runToEnd()
    write(vcpu.machine)
    try vcpu.unbind()
  }

  private static func traced(_ bench: Bench) throws(Failure) {
    let vcpu = try bench.guest("costs-traced")
    let trace = Trace()
    try trace.begin(vcpu)
    try vcpu.runToEnd()
    write(vcpu.machine)
    try trace.end(vcpu)
    try vcpu.unbind()
  }

  /// NMIs without a request behind them.
  private static func kicks(_ bench: Bench) throws(Failure) {
    let vcpu = try bench.guest("costs-kick")
    try vcpu.startRunning()
    try vcpu.awaitResult(0, above: 0)
    for number in 0..<UInt64(GUEST_COST_TIMED) {
      let cpu = try vcpu.bound()
      cpu.kick()
      guard Clock.wait({ vcpu.exits(APUS_EXIT_NMI) > number }) else { throw .timeout("a kick") }
      // The next one comes when the guest has gone on.
      try vcpu.awaitResult(0, above: vcpu.machine.result(0))
    }
    write(vcpu.machine)
    try vcpu.request(APUS_REQUEST_EXIT)
    guard case .interrupted = try vcpu.finishRunning() else { throw .timeout("-EINTR") }
  }

  /// `cost NAME at ADDRESS: TICKS for ITERATIONS`, for each entry that the guest has written.
  private static func write(_ machine: VirtualMachine) {
    let memory = machine.memory
    for entry in stride(
      from: Int(guestsCosts), to: Int(guestsCostsEnd), by: Int(GUEST_COST_SIZE))
    {
      guard memory.load(UInt64.self, at: entry + 16) > 0 else { continue }
      Console.write("cost ")
      var place = entry + 24
      while memory.load(UInt8.self, at: place) != 0 {
        Console.write(memory.load(UInt8.self, at: place))
        place += 1
      }
      Console.write(" at ")
      Console.write(hexadecimal: memory.load(UInt64.self, at: entry))
      Console.write(": ")
      Console.write(memory.load(UInt64.self, at: entry + 8))
      Console.write(" for ")
      Console.write(memory.load(UInt64.self, at: entry + 16))
      Console.write("\n")
    }
  }
}
