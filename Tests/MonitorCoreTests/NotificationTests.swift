// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing
import X86

@testable import MonitorCore

/// Which writes signal: Documentation/virt/kvm/api.rst, KVM_IOEVENTFD.
@Suite("Notifications")
struct NotificationTests {
  let machine = PretendedMachine(cpus: 2)
  private static let pio: UInt8 = 1
  private static let data: UInt8 = 2

  init() {
    machine.setNotifications([
      entry(0x510, number: 7, flags: Self.pio),
      entry(0xc000, number: 31, size: 2, flags: Self.pio | Self.data, data: 0),
      entry(0xc000, number: 32, size: 2, flags: Self.pio | Self.data, data: 1),
      entry(0x510, number: 8, size: 4),
      entry(0xfe00_3000, number: 64),
      entry(0xfe00_3004, number: 255, size: 8),
    ])
  }

  private func entry(
    _ address: UInt64, number: UInt16, size: UInt8 = 0, flags: UInt8 = 0, data: UInt64 = 0
  ) -> apus_notification {
    apus_notification(
      address: address, data: data, number: number, size: size, flags: flags, reserved: 0)
  }

  /// The numbers that the driver finds.
  private func taken() -> [Int] {
    withUnsafeMutableBytes(of: &machine.cpu.vm.notified) { bytes in
      let words = bytes.assumingMemoryBound(to: UInt32.self)
      defer { for index in words.indices { words[index] = 0 } }
      return words.indices.flatMap { word in
        (0..<32).filter { words[word] & 1 << UInt32($0) != 0 }.map { word * 32 + $0 }
      }
    }
  }

  private func sends(
    _ space: Zones.Space, _ address: UInt64, _ value: UInt64 = 0, size: UInt8
  ) -> [Int]? {
    machine.cpu.notify(space, address, value, size: size) ? taken() : nil
  }

  @Test("are writes of their address and address space", arguments: [1, 2, 4, 8] as [UInt8])
  func anyLength(size: UInt8) {
    #expect(sends(.ports, 0x510, 0xffff, size: size) == [7])
    #expect(sends(.memory, 0xfe00_3000, .max, size: size) == [64])
    #expect(sends(.memory, 0xfe00_3001, size: size) == nil)
    #expect(sends(.ports, 0x50f, size: size) == nil)
    #expect(sends(.ports, 0, size: size) == nil)
    #expect(sends(.memory, .max, size: size) == nil)
  }

  @Test("are writes of their size, where they have one")
  func size() {
    #expect(sends(.memory, 0x510, size: 4) == [8])
    #expect(sends(.memory, 0x510, size: 2) == nil)
    #expect(sends(.memory, 0x510, size: 8) == nil)
    #expect(sends(.memory, 0xfe00_3004, .max, size: 8) == [255])
  }

  @Test("are told apart by data, of which the bytes beyond the size do not count")
  func data() {
    #expect(sends(.ports, 0xc000, 0, size: 2) == [31])
    #expect(sends(.ports, 0xc000, 0xabcd_0001, size: 2) == [32])
    #expect(sends(.ports, 0xc000, 2, size: 2) == nil)
    #expect(sends(.ports, 0xc000, 0, size: 4) == nil)
  }

  @Test("ring once until the driver has taken them")
  func rings() {
    let before = machine.processor.doorbells
    #expect(machine.cpu.notify(.ports, 0x510, 0, size: 1))
    #expect(machine.cpu.notify(.ports, 0x510, 0, size: 1))
    #expect(machine.cpus[1].notify(.ports, 0x510, 0, size: 1))
    #expect(machine.processor.doorbells + machine.cpus[1].processor.doorbells == before + 1)
    #expect(taken() == [7])
    #expect(machine.cpu.notify(.ports, 0x510, 0, size: 1))
    #expect(machine.processor.doorbells == before + 2)
    #expect(machine.cpu.control.statistics.exits.26 == 3, "APUS_EXIT_NOTIFICATION")
  }

  @Test("do not end KVM_RUN")
  func run() {
    machine.units[0].exitInstructionLength = 1
    machine.units[0].steps = [
      { _, registers in
        registers.rax = 1
        return .port(PortAccess(port: 0xc000, size: 2, isInput: false))
      }
    ]
    #expect(machine.cpu.runGuest() == 0)
    #expect(machine.cpu.run.exit_reason == 5, "KVM_EXIT_HLT, of the step after")
    #expect(taken() == [32])
  }

  @Test("go to the client when they are gone")
  func gone() {
    machine.setNotifications([])
    #expect(sends(.ports, 0x510, size: 1) == nil)
    #expect(taken() == [])
  }

  @Test("are found wherever in the table they stand")
  func many() {
    machine.setNotifications((0..<256).map { entry(UInt64($0) * 8, number: UInt16(255 - $0)) })
    for place in 0..<256 {
      #expect(sends(.memory, UInt64(place) * 8, size: 4) == [255 - place])
      #expect(sends(.memory, UInt64(place) * 8 + 4, size: 4) == nil)
    }
  }
}

extension PretendedMachine {
  /// As the driver does. `entries` are in its order: ports first, then by address.
  func setNotifications(_ entries: [apus_notification]) {
    let generation = cpu.vm.notifications_generation &+ 1
    let table = cpu.pages.notifications(generation & 1)
    for (index, entry) in entries.enumerated() { table[index] = entry }
    if generation & 1 == 0 {
      cpu.vm.notification_counts.0 = UInt32(entries.count)
    } else {
      cpu.vm.notification_counts.1 = UInt32(entries.count)
    }
    cpu.vm.notifications_generation = generation
  }
}
