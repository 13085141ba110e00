// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing
import X86

@testable import MonitorCore

/// A device's registers at 0xd000_0000: three pages, of which the driver has found the first and the third. The
/// directory lies at 30 MiB, its only page of entries behind it.
@Suite("Pages of devices")
struct DevicePagesTests {
  let machine = PretendedMachine(cpus: 2)
  var cpu: PretendedMachine.CPU { machine.cpu }
  static let guest: UInt64 = 0xd000_0000
  static let device: UInt64 = 0xfebf_0000
  static let directory: UInt64 = 30 << 20

  init() {
    machine.memory[Self.directory + 8, as: UInt64.self] = Self.directory + 4096
    enter(0, Self.device | 3)
    enter(2, Self.device + 0x2000 | 1)
    publish()
    for cpu in machine.cpus { cpu.followSlots() }
  }

  func publish(generation: UInt32? = nil) {
    machine.publish([
      .init(
        address: Self.guest, size: 0x3000, physical: 0, generation: generation,
        directory: Self.directory)
    ])
  }

  func enter(_ page: UInt64, _ entry: UInt64) {
    machine.memory[Self.directory + 4096 + page * 8, as: UInt64.self] = entry
  }

  func revoke(_ page: UInt64, count: UInt64 = 1) {
    let number = cpu.vm.revocations &+ 1
    withUnsafeMutableBytes(of: &cpu.vm.revoked) {
      $0.storeBytes(
        of: apus_revoked(
          first_frame: Self.guest >> 12 + page, last_frame: Self.guest >> 12 + page + count - 1),
        toByteOffset: Int(number % 32) * 16, as: apus_revoked.self)
    }
    cpu.vm.revocations = number
  }

  func access(_ page: UInt64, isWrite: Bool = false) -> Outcome {
    cpu.handleNestedFault(
      NestedFault(
        address: GuestPhysical(Self.guest + page << 12 | 0x10), isWrite: isWrite, isExecute: false))
  }

  func translate(_ page: UInt64) -> UInt64? {
    cpu.tables.translate(GuestPhysical(Self.guest + page << 12))?.physical.rawValue
  }

  @Test("A page is mapped at its first access, as the driver's entry says, and not before")
  func mapped() {
    #expect(translate(0) == nil)
    #expect(access(0, isWrite: true) == .resume)
    #expect(!cpu.state.isPageMissing)
    #expect(
      cpu.tables.translate(GuestPhysical(Self.guest))
        == .init(physical: HostPhysical(Self.device), isWritable: true, isDevice: true))
    #expect(access(2) == .resume)
    #expect(
      cpu.tables.translate(GuestPhysical(Self.guest + 0x2000))
        == .init(physical: HostPhysical(Self.device + 0x2000), isWritable: false, isDevice: true))
    #expect(cpu.machine.slots.shortages == 0)
  }

  @Test(
    "The driver is asked for a page without an entry, and for a write to one that is for reading")
  func missing() {
    #expect(access(1) == .client)
    #expect(cpu.state.isPageMissing)
    #expect(cpu.control.page_address == Self.guest + 0x1010)
    #expect(cpu.control.page_written == 0)
    cpu.state.isPageMissing = false
    #expect(access(2) == .resume)
    #expect(access(2, isWrite: true) == .client)
    #expect(cpu.state.isPageMissing)
    #expect(cpu.control.page_written == 1)
  }

  @Test("KVM_RUN ends with a number of its own, and goes on with the page that was found")
  func run() {
    machine.unit.steps = [
      { _, _ in
        .nestedFault(
          NestedFault(address: GuestPhysical(Self.guest + 0x1000), isWrite: false, isExecute: false)
        )
      }
    ]
    #expect(cpu.runGuest() == Int64(APUS_RUN_PAGE))
    enter(1, Self.device + 0x1000 | 1)
    machine.unit.steps = [
      { _, _ in
        .nestedFault(
          NestedFault(address: GuestPhysical(Self.guest + 0x1000), isWrite: false, isExecute: false)
        )
      }
    ]
    #expect(cpu.runGuest() == 0)
    #expect(cpu.run.exit_reason == 5)
    #expect(translate(1) == Self.device + 0x1000)
  }

  @Test("One access to a page that is not to be had is the client's, the next is asked for again")
  func clients() {
    cpu.state.clientsPage = (Self.guest >> 12) + 1
    #expect(
      cpu.handlePageFault(
        NestedFault(address: GuestPhysical(Self.guest + 0x1010), isWrite: false, isExecute: false))
        == nil)
    #expect(access(1) == .client)
    #expect(cpu.state.isPageMissing)
  }

  @Test("What was revoked is mapped no more once a vCPU has followed, and the rest stays")
  func revoked() {
    _ = access(0)
    _ = access(2)
    enter(2, 0)
    revoke(2)
    machine.cpus[1].followSlots()
    #expect(machine.cpus[1].control.revocations == 1)
    #expect(cpu.control.revocations == 0)
    #expect(translate(0) == Self.device)
    #expect(translate(2) == nil)
    let flushes = machine.unit.flushes
    cpu.followSlots()
    #expect(cpu.control.revocations == 1)
    #expect(machine.unit.flushes == flushes + 1)
    #expect(access(2) == .client)
  }

  @Test(
    "More revocations than the ring holds take every page, and no fewer are taken one by one",
    arguments: [(31, true), (32, false), (100, false)] as [(Int, Bool)])
  func overflow(count: Int, stays: Bool) {
    _ = access(0)
    _ = access(2)
    for _ in 0..<count { revoke(2) }
    cpu.followSlots()
    #expect(cpu.control.revocations == UInt32(count))
    #expect((translate(0) == Self.device) == stays)
    #expect(translate(2) == nil)
  }

  @Test("A slot that goes takes its pages with it, and memory is not looked up page by page")
  func removed() {
    _ = access(0)
    machine.publish([
      .init(address: 0, size: 0x1000, physical: PretendedMachine.guestPhysical)
    ])
    cpu.followSlots()
    #expect(translate(0) == nil)
    #expect(!cpu.machine.slots.hasPages)
    #expect(
      cpu.handlePageFault(
        NestedFault(address: GuestPhysical(Self.guest), isWrite: false, isExecute: false)) == nil)
  }

  @Test("The monitor itself neither reads nor writes registers")
  func untouched() {
    _ = access(0)
    #expect(cpu.memory.read(GuestPhysical(Self.guest), size: 4) == nil)
    #expect(!cpu.memory.write(GuestPhysical(Self.guest), 1, size: 4))
  }

  @Test("A log that begins or ends leaves the pages as they are")
  func log() {
    _ = access(2)
    publish(generation: 1)
    cpu.followSlots()
    #expect(cpu.tables.translate(GuestPhysical(Self.guest + 0x2000))?.isWritable == false)
  }

  @Test("A page of a directory of more than one link is found, and one that is not there is 0")
  func directories() {
    machine.memory[Self.directory, as: UInt64.self] = 31 << 20
    machine.memory[(31 << 20) + 8 * 3, as: UInt64.self] = 0x7000
    let directory = HostPhysical(Self.directory)
    #expect(machine.processor.page(0, ofDirectory: directory) == directory + 4096)
    #expect(machine.processor.page(511 + 2, ofDirectory: directory) == 0x7000)
    #expect(machine.processor.page(511, ofDirectory: directory) == 0)
    #expect(machine.processor.page(2 * 511, ofDirectory: directory) == 0)
  }
}
