// SPDX-License-Identifier: Apache-2.0
import Contract

/// Memory slots that come, change and go while the guest lives.
enum MemoryTests {
  static var all: [Test] {
    [
      Test("slots") { bench throws(Failure) in
        let vcpu = try bench.guest("slots")
        let address: UInt64 = 0x1000_0000
        let pages = [Memory.pages(1), Memory.pages(3), Memory.pages(1)]
        pages[0].store(UInt64(0x11), at: 0)
        pages[2].store(UInt64(0x22), at: 4088)
        vcpu.machine.setSlot(1, [pages[0], pages[2]], at: address)
        try vcpu.runToStep()
        try vcpu.expectResult(0, 0x11)
        try vcpu.expectResult(1, 0x22)

        // The same addresses in one large page.
        let large = Memory.pages(512, alignment: 2 << 20)
        large.store(UInt64(0x33), at: 0)
        large.store(UInt64(0x44), at: 0x1ff8)
        vcpu.machine.removeSlot(1)
        vcpu.machine.setSlot(1, [large], at: address)
        try vcpu.runToStep()
        try vcpu.expectResult(2, 0x33)
        try vcpu.expectResult(3, 0x44)

        // Gone: nothing is left of it in the guest's translations.
        vcpu.machine.removeSlot(1)
        try vcpu.expectMemory(address, 8, answer: 0x66)
        try vcpu.expectMemory(address + 0x1ff8, 8, answer: 0x77)
        try vcpu.runToStep()
        try vcpu.expectResult(4, 0x66)
        try vcpu.expectResult(5, 0x77)

        // Back, and read-only: its write is the client's.
        vcpu.machine.setSlot(1, [large], at: address, flags: APUS_SLOT_READONLY)
        try vcpu.runToStep()
        try vcpu.expectResult(6, 0x33)
        vcpu.machine.setParameter(1)
        try vcpu.expectMemory(address, 8, written: 0x55)
        try vcpu.runToEnd()
        try expect("read-only memory", large.word(at: 0), 0x33)
      },
      // Pages change under a running guest: once it has acknowledged, it does not see the old
      // ones.
      Test("slots-while-running") { bench throws(Failure) in
        let vcpu = try bench.guest("watch-slot")
        let address: UInt64 = 0x1000_0000
        for number in UInt64(1)...20 {
          let page = Memory.pages(1)
          page.store(number, at: 0)
          vcpu.machine.setSlot(1, [page], at: address)
          if number == 1 { try vcpu.startRunning() }
          try vcpu.request(APUS_REQUEST_MEMORY)
          let generation = vcpu.machine.generation
          guard Clock.wait({ vcpu.acknowledgedGeneration == generation }) else {
            throw .timeout("an acknowledgement")
          }
          guard Clock.wait({ vcpu.machine.result(0) == number }) else {
            throw .value("what the guest sees", is: vcpu.machine.result(0), expected: number)
          }
        }
        try vcpu.request(APUS_REQUEST_EXIT)
        guard case .interrupted = try vcpu.finishRunning() else { throw .timeout("-EINTR") }
      },
      // What no processor and no monitor can go on from: the client is told, or kicks it.
      Test("nothing-there") { bench throws(Failure) in
        let guests: [StaticString] = ["bad-stack", "bad-code", "bad-tables"]
        for name in guests {
          let vcpu = try bench.guest(name)
          try vcpu.startRunning()
          let cpu = bench.cpus[0]
          if !Clock.wait(microseconds: 20_000, { cpu.isDone }) {
            try vcpu.request(APUS_REQUEST_EXIT)
          }
          switch try vcpu.finishRunning() {
          case .other(UInt32(KVM_EXIT_INTERNAL_ERROR)), .shutdown, .interrupted: break
          case let exit: throw .unexpectedExit(exit)
          }
          try vcpu.unbind()
        }
      },
    ]
  }
}
