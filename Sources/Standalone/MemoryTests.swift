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
      // Registers of a device: a page is asked for once, is the guest's without an exit, and goes when it is
      // revoked. One that is not to be had is the client's, access by access.
      Test("device-pages") { bench throws(Failure) in
        let vcpu = try bench.guest("slots")
        let address: UInt64 = 0x1000_0000
        let device = Memory.pages(2)
        device.store(UInt64(0x11), at: 0)
        device.store(UInt64(0x22), at: 0x1ff8)
        let entries = vcpu.machine.setPagesSlot(1, at: address, pages: 2)
        func enter(_ page: Int, writable: Bool) {
          let flags = APUS_PAGE_PRESENT | (writable ? APUS_PAGE_WRITABLE : 0)
          entries.store(device.address + UInt64(page) * 4096 | flags, at: page * 8)
        }
        try vcpu.startRunning()
        try vcpu.expectMissingPage(address, isWrite: false)
        enter(0, writable: false)
        try vcpu.startRunning()
        try vcpu.expectMissingPage(address + 0x1ff8, isWrite: false)
        enter(1, writable: true)
        try vcpu.startRunning()
        try vcpu.finishToStep()
        try vcpu.expectResult(0, 0x11)
        try vcpu.expectResult(1, 0x22)
        try expect("exits for pages", vcpu.exits(APUS_EXIT_PAGE), 4)

        // No exit any more.
        device.store(UInt64(0x33), at: 0)
        try vcpu.runToStep()
        try vcpu.expectResult(2, 0x33)
        try expect("exits for pages", vcpu.exits(APUS_EXIT_PAGE), 4)

        // The second page goes, and is the client's for one access.
        entries.store(UInt64(0), at: 8)
        _ = vcpu.machine.revoke(at: address + 0x1000, pages: 1)
        try vcpu.startRunning()
        try vcpu.expectMissingPage(address + 0x1ff8, isWrite: false)
        try vcpu.startRunning(APUS_PAGE_CLIENT)
        guard case .memory(address + 0x1ff8, 8, false, _) = try vcpu.finishRunning() else {
          throw .timeout("the client's access")
        }
        vcpu.answerMemory(0x44)
        try vcpu.runToStep()
        try vcpu.expectResult(4, 0x33)
        try vcpu.expectResult(5, 0x44)

        // It is asked for again after that; and a write to a page that is for reading is asked for too.
        vcpu.machine.setParameter(1)
        try vcpu.startRunning()
        try vcpu.expectMissingPage(address, isWrite: true)
        try vcpu.startRunning(APUS_PAGE_CLIENT)
        guard case .memory(address, 8, true, 0x55) = try vcpu.finishRunning() else {
          throw .timeout("the client's access")
        }
        try vcpu.runToEnd()
        try expect("read-only registers", device.word(at: 0), 0x33)
        try expect("exits of the client's", vcpu.exits(APUS_EXIT_MMIO_CLIENT), 2)
      },
      // Pages are revoked under a running guest, more of them at once than the ring has room for.
      Test("revoked-while-running") { bench throws(Failure) in
        let vcpu = try bench.guest("watch-slot")
        let address: UInt64 = 0x1000_0000
        let entries = vcpu.machine.setPagesSlot(1, at: address, pages: 2)
        for number in UInt64(1)...20 {
          let page = Memory.pages(1)
          page.store(number, at: 0)
          var wanted: UInt32 = 0
          if number > 1 {
            entries.store(UInt64(0), at: 0)
            wanted = vcpu.machine.revoke(at: address, pages: 1)
            if number % 5 == 0 {
              for _ in 0..<Int(APUS_REVOKED) {
                wanted = vcpu.machine.revoke(at: address + 4096, pages: 1)
              }
            }
            try vcpu.request(APUS_REQUEST_MEMORY)
          } else {
            try vcpu.startRunning()
          }
          try vcpu.expectMissingPage(address, isWrite: false)
          guard number == 1 || vcpu.acknowledgedRevocations == wanted else {
            throw .timeout("an acknowledgement")
          }
          entries.store(page.address | APUS_PAGE_PRESENT | APUS_PAGE_WRITABLE, at: 0)
          try vcpu.startRunning()
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
