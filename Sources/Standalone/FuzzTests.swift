// SPDX-License-Identifier: Apache-2.0
import Contract
import Guests

/// Nothing that a guest or a client does stops the monitor. A round that fails names
/// its seed.
enum FuzzTests {
  static var all: [Test] {
    [
      Test("fuzz-guest") { bench throws(Failure) in
        try fuzzGuest(bench, operations: 10_000)
      },
      Test("fuzz-client") { bench throws(Failure) in try fuzzClient(bench, rounds: 400) },
      // Not in a run of all.
      Test("fuzz-guest-long", byRequest: true) { bench throws(Failure) in
        try fuzzGuest(bench, operations: 1_000_000)
      },
      Test("fuzz-client-long", byRequest: true) { bench throws(Failure) in
        try fuzzClient(bench, rounds: 20_000)
      },
    ]
  }

  /// A failure in `body` names the seed.
  private static func with(
    _ seed: UInt64, _ body: () throws(Failure) -> Void
  ) throws(Failure) {
    do throws(Failure) {
      try body()
    } catch {
      Console.write("seed ")
      Console.write(seed)
      Console.write(": ")
      throw error
    }
  }

  // MARK: The guest's side

  /// Most that a guest does before the next one starts.
  private static let operationsOfGuest: UInt64 = 1000

  /// A guest that has ended itself starts again with the next seed, until so many operations are
  /// done. Says now and then how many they were.
  private static func fuzzGuest(_ bench: Bench, operations: UInt64) throws(Failure) {
    guard let guest = GuestImage.find("fuzz") else { throw .noGuest }
    let vcpu = try bench.guest("fuzz")
    var done: UInt64 = 0
    var idle = 0
    var seed = bench.seed
    while done < operations {
      try with(seed) { () throws(Failure) in
        GuestImage.install(in: vcpu.machine.memory)
        vcpu.machine.memory.store(UInt64(0), at: Int(GUEST_RESULTS))
        vcpu.machine.setParameter(seed &* 0x9e37_79b9_7f4a_7c15 | 1)
        vcpu.machine.memory.store(operationsOfGuest, at: Int(GUEST_PARAMETER) + 8)
        try vcpu.start(guest, x2APIC: true)
        try round(vcpu, seed)
      }
      // The guest may have hurt its own counter too.
      let made = min(vcpu.machine.result(0), operationsOfGuest)
      // One that a busy machine gave no time may have made none.
      idle = made == 0 ? idle + 1 : 0
      guard idle < 20 else { throw .value("the operations of 20 guests", is: 0, expected: 20) }
      let isNews = (done + made) / 100_000 > done / 100_000 || done + made >= operations
      done += made
      if isNews { report(done, bench.seed, seed) }
      seed &+= 1
    }
  }

  private static func report(_ operations: UInt64, _ first: UInt64, _ last: UInt64) {
    Console.write("fuzz: ")
    Console.write(operations)
    Console.write(" operations, seeds ")
    Console.write(first)
    Console.write(" to ")
    Console.write(last)
    Console.write("\n")
  }

  /// Until the guest is done, has ended itself, or has lost its way.
  private static func round(_ vcpu: VirtualCPU, _ seed: UInt64) throws(Failure) {
    var random = Random(seed: seed)
    for _ in 0..<10000 {
      try vcpu.startRunning()
      let cpu = try vcpu.bound()
      if !Clock.wait(microseconds: 3000, { cpu.isDone }) { try vcpu.request(APUS_REQUEST_EXIT) }
      switch try vcpu.finishRunning() {
      case .port(UInt16(GUEST_PORT_END), _, _, _): return
      case .port(_, _, true, _): vcpu.answerPort(random.next())
      case .port(_, _, false, _): break
      case .memory(_, _, false, _): vcpu.answerMemory(random.next())
      case .memory(_, _, true, _): break
      case .shutdown, .failedEntry, .unknown, .other, .interrupted, .debug:
        return
      }
    }
  }

  // MARK: The client's side

  private static let settings: [UInt32] = [
    KVM_SET_REGS_, KVM_SET_SREGS_, KVM_SET_FPU_, KVM_SET_XSAVE_, KVM_SET_XCRS_, KVM_SET_LAPIC_,
    KVM_SET_VCPU_EVENTS_, KVM_SET_DEBUGREGS_, KVM_SET_MP_STATE_, KVM_SET_MSRS_, KVM_SET_CPUID2_,
    KVM_SET_GUEST_DEBUG_,
  ]
  private static let gettings: [UInt32] = [
    KVM_GET_REGS_, KVM_GET_SREGS_, KVM_GET_FPU_, KVM_GET_XSAVE_, KVM_GET_XCRS_, KVM_GET_LAPIC_,
    KVM_GET_VCPU_EVENTS_, KVM_GET_DEBUGREGS_, KVM_GET_MP_STATE_, KVM_GET_MSRS_, KVM_GET_CPUID2_,
    // KVM_SET_GUEST_DEBUG has no counterpart: any bytes are as good.
    KVM_GET_DEBUGREGS_,
  ]

  /// A state as the monitor gave it, with random bytes in it, and a run of what comes of it.
  private static func fuzzClient(_ bench: Bench, rounds: Int) throws(Failure) {
    guard let guest = GuestImage.find("spin") else { throw .noGuest }
    let vcpu = try bench.guest("spin")
    for seed in 1...UInt64(rounds) {
      try with(seed) { () throws(Failure) in
        var random = Random(seed: seed &* 0x9e37_79b9_7f4a_7c15)
        if seed & 15 == 0 { try vcpu.start(guest, x2APIC: true) }
        for _ in 0..<1 + random.next(below: 3) { try corrupt(vcpu, &random) }
        try vcpu.startRunning()
        Clock.idle(steps: random.next(below: 2000))
        try vcpu.request(APUS_REQUEST_EXIT)
        _ = try vcpu.finishRunning()
        // Afterwards it is not asked again what it was asked before.
        unsafe vcpu.control.pointee.requests = 0
      }
    }
  }

  private static func corrupt(_ vcpu: VirtualCPU, _ random: inout Random) throws(Failure) {
    let choice = random.next(below: settings.count)
    let size = Int(settings[choice] >> 16 & 0x3fff)
    _ = try vcpu.perform(gettings[choice], size: max(size, 4096))
    vcpu.withPayload { payload in
      for _ in 0..<1 + random.next(below: 6) {
        let bound = max(size, 64)
        let offset = random.next(below: bound)
        switch random.next(below: 3) {
        case 0: payload.store(UInt8(truncatingIfNeeded: random.next()), at: offset)
        case 1: payload.store(UInt64.max, at: offset)
        default: payload.store(random.next(), at: offset)
        }
      }
    }
    _ = try vcpu.perform(settings[choice], size: max(size, 4096))
  }
}
