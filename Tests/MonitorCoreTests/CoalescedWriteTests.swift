// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing
import X86

@testable import MonitorCore

/// The ring's layout and its rules: Documentation/virt/kvm/api.rst, KVM_REGISTER_COALESCED_MMIO.
@Suite("Coalesced writes")
struct CoalescedWriteTests {
  let machine = PretendedMachine(cpus: 2)
  /// The last page of the VM area at 1 MiB.
  static let ring: UInt64 = 1 << 20 + 15 * 4096
  /// (4096 - 8) / 24.
  static let capacity: UInt32 = 170

  init() {
    machine.setZone(0, apus_zone(address: 0x3f8, size: 1, pio: 1))
    machine.setZone(3, apus_zone(address: 0x5000, size: 4, pio: 1))
  }

  private var first: UInt32 {
    get { machine.memory[Self.ring, as: UInt32.self] }
    nonmutating set { machine.memory[Self.ring, as: UInt32.self] = newValue }
  }
  private var last: UInt32 {
    get { machine.memory[Self.ring + 4, as: UInt32.self] }
    nonmutating set { machine.memory[Self.ring + 4, as: UInt32.self] = newValue }
  }
  private func entry(_ index: UInt64) -> [UInt64] {
    (0..<3).map { machine.memory[Self.ring + 8 + index * 24 + $0 * 8, as: UInt64.self] }
  }

  /// One access of vCPU `id`; the guest then halts. The reason of the exit to the client.
  private func run(
    _ port: UInt16, _ value: UInt64 = 0, size: UInt8 = 1, isInput: Bool = false, on id: Int = 0
  ) -> UInt32 {
    machine.units[id].exitInstructionLength = 1
    machine.units[id].steps = [
      { _, registers in
        registers.rax = value
        return .port(PortAccess(port: port, size: size, isInput: isInput))
      }
    ]
    machine.cpus[id].state.activity = .running
    #expect(machine.cpus[id].runGuest() == 0)
    return machine.cpus[id].run.exit_reason
  }
  private let toClient: UInt32 = 2  // KVM_EXIT_IO
  private let halted: UInt32 = 5  // KVM_EXIT_HLT

  @Test("wait in the ring in the order of the guest, with port, length and data")
  func order() {
    #expect(run(0x3f8, 0x1122_3344_5566_7741) == halted)
    #expect(run(0x3f8, 0x42, on: 1) == halted)
    #expect(run(0x5000, 0xdead_beef, size: 4) == halted)
    #expect(first == 0)
    #expect(last == 3)
    // Address; length in the lower half and pio in the upper; data.
    #expect(entry(0)[...1] == [0x3f8, 1 << 32 | 1])
    #expect(entry(0)[2] & 0xff == 0x41)
    #expect(entry(1)[2] & 0xff == 0x42)
    #expect(entry(2)[...1] == [0x5000, 1 << 32 | 4])
    #expect(entry(2)[2] & 0xffff_ffff == 0xdead_beef)
    #expect(machine.cpu.control.statistics.exits.25 == 2, "APUS_EXIT_COALESCED")
    #expect(machine.cpu.control.statistics.exits.5 == 0, "APUS_EXIT_IO_CLIENT")
  }

  @Test("are those that lie in one zone as a whole")
  func bounds() {
    #expect(run(0x3f7) == toClient)
    #expect(run(0x3f9) == toClient)
    #expect(run(0x3f8, size: 2) == toClient)
    #expect(run(0x4fff, size: 4) == toClient)
    #expect(run(0x5001, size: 4) == toClient)
    #expect(run(0x5003) == halted)
    #expect(run(0x5002, size: 2) == halted)
  }

  @Test("are never reads, nor accesses of another address space")
  func others() {
    #expect(run(0x3f8, isInput: true) == toClient)
    machine.setZone(0, apus_zone(address: 0x3f8, size: 1, pio: 0))
    #expect(run(0x3f8) == toClient)
    #expect(machine.cpu.coalesce(.memory, 0x3f8, 7, size: 1))
    #expect(entry(0)[1] == 1, "length 1, pio 0")
  }

  @Test("do not reach beyond a zone at the end of the address space")
  func highest() {
    machine.setZone(0, apus_zone(address: .max - 3, size: 4, pio: 0))
    #expect(machine.cpu.coalesce(.memory, .max - 3, 0, size: 4))
    #expect(!machine.cpu.coalesce(.memory, .max - 1, 0, size: 4))
    #expect(!machine.cpu.coalesce(.memory, 0, 0, size: 1))
  }

  @Test("go to the client while zones change, and once they are gone")
  func changes() {
    machine.cpu.vm.zones_sequence &+= 1
    #expect(run(0x3f8) == toClient)
    machine.cpu.vm.zones_sequence &+= 1
    #expect(run(0x3f8) == halted)
    machine.setZone(0, apus_zone())
    #expect(run(0x3f8) == toClient)
  }

  @Test("go to the client while the ring is full; one entry stays free")
  func full() {
    for index in 0..<(Self.capacity - 1) {
      #expect(machine.cpu.coalesce(.ports, 0x3f8, UInt64(index), size: 1))
    }
    #expect(last == Self.capacity - 1)
    #expect(run(0x3f8, 0x5a) == toClient)
    #expect(machine.memory[2 << 20 + 0x1_1000, as: UInt8.self] == 0x5a)
    // The client has taken two.
    first = 2
    #expect(run(0x3f8, 0x5b) == halted)
    #expect(last == 0)
    #expect(entry(UInt64(Self.capacity) - 1)[2] & 0xff == 0x5b)
    #expect(run(0x3f8, 0x5c) == halted)
    #expect(entry(0)[2] & 0xff == 0x5c)
    #expect(run(0x3f8) == toClient)
  }

  @Test(
    "leave everything outside the ring alone, whatever the client writes into it",
    arguments: [170, 171, 0x8000_0000, 0xffff_fffe, .max] as [UInt32])
  func hostile(index: UInt32) {
    // Before the ring: the monitor's own page; behind it: the next area.
    let fence: [UInt64] = [Self.ring - 8, Self.ring + 4088, Self.ring + 4096]
    for address in fence { machine.memory[address, as: UInt64.self] = 0x5555_5555 }
    last = index
    #expect(run(0x3f8, 0xff) == toClient)
    #expect(last == index)
    first = index
    last = 169
    #expect(run(0x3f8, 0xff) == halted)
    #expect(last == 0)
    #expect(first == index)
    for address in fence { #expect(machine.memory[address, as: UInt64.self] == 0x5555_5555) }
  }
}

extension PretendedMachine {
  /// As the driver does.
  func setZone(_ index: Int, _ zone: apus_zone) {
    cpu.vm.zones_sequence &+= 1
    withUnsafeMutableBytes(of: &cpu.vm.zones) {
      $0.storeBytes(
        of: zone, toByteOffset: index * MemoryLayout<apus_zone>.stride, as: apus_zone.self)
    }
    cpu.vm.zones_sequence &+= 1
  }
}
