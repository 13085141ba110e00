// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing

@testable import Machine

@Suite("The guest's CPUID")
struct GuestCPUIDTests {
  private func entry(
    _ function: UInt32, _ index: UInt32 = 0, eax: UInt32 = 0, ebx: UInt32 = 0, ecx: UInt32 = 0,
    edx: UInt32 = 0
  ) -> kvm_cpuid_entry2 {
    var entry = kvm_cpuid_entry2()
    (entry.function, entry.index) = (function, index)
    (entry.eax, entry.ebx, entry.ecx, entry.edx) = (eax, ebx, ecx, edx)
    return entry
  }

  private func leaves(
    _ supported: [kvm_cpuid_entry2], id: UInt32 = 0, of count: UInt32 = 1, deadline: Bool = false
  ) -> [kvm_cpuid_entry2] {
    GuestCPUID(virtualCPU: id, virtualCPUs: count, hasDeadlineTimer: deadline)
      .entries(from: supported)
  }

  private func leaf(
    _ function: UInt32, _ index: UInt32 = 0, in entries: [kvm_cpuid_entry2]
  ) throws -> kvm_cpuid_entry2 {
    try #require(entries.first { $0.function == function && $0.index == index })
  }

  @Test("gives each vCPU its own APIC ID and says that there is a hypervisor")
  func identity() throws {
    let one = try leaf(
      1, in: leaves([entry(1, ebx: 0x7702_0800, edx: 0x0100)], id: 2, of: 4))
    #expect(one.ebx == 0x0204_0800)
    #expect(one.ecx == 1 << 31)
    #expect(one.edx == 0x1000_0100)  // HTT
  }

  @Test("offers the deadline timer when the device has it, and HTT only with several vCPUs")
  func deadline() throws {
    let one = try leaf(1, in: leaves([entry(1, edx: 0x1000_0000)], deadline: true))
    #expect(one.ecx == 1 << 31 | 1 << 24)
    #expect(one.edx == 0)
  }

  @Test("leaves KVM's signature as the device wrote it")
  func signature() throws {
    // "KVMKVMKVM"
    let signature = entry(
      0x4000_0000, eax: 0x4000_0001, ebx: 0x4b4d_564b, ecx: 0x564b_4d56, edx: 0x4d)
    let found = try leaf(0x4000_0000, in: leaves([signature]))
    #expect(found.ebx == 0x4b4d_564b)
    #expect(found.ecx == 0x564b_4d56)
    #expect(found.edx == 0x4d)
  }

  @Test("describes cores without threads in leaf 0BH, whatever the host's topology")
  func topology() throws {
    let entries = leaves([entry(0, eax: 0xd), entry(0xb, 0, eax: 1, ebx: 2)], id: 3, of: 4)
    #expect(entries.filter { $0.function == 0xb }.count == 3)
    let threads = try leaf(0xb, 0, in: entries)
    #expect((threads.eax, threads.ebx, threads.ecx, threads.edx) == (0, 1, 0x100, 3))
    let cores = try leaf(0xb, 1, in: entries)
    #expect((cores.eax, cores.ebx, cores.ecx, cores.edx) == (2, 4, 0x201, 3))
    #expect(cores.flags == 1)
    let end = try leaf(0xb, 2, in: entries)
    #expect((end.eax, end.ebx, end.ecx) == (0, 0, 2))
  }

  @Test("has no topology leaf that the processor lacks")
  func noTopology() {
    #expect(!leaves([entry(0, eax: 0xa)]).contains { $0.function == 0xb })
    #expect(!leaves([entry(0, eax: 0xd)]).contains { $0.function == 0x1f })
  }

  @Test("counts cores in AMD's leaf 8000_0008H")
  func coreCount() throws {
    let entries = leaves([entry(0x8000_0008, ecx: 0x701f)], of: 3)
    #expect(try leaf(0x8000_0008, in: entries).ecx == 0x2002)
    let single = leaves([entry(0x8000_0008, ecx: 0x701f)])
    #expect(try leaf(0x8000_0008, in: single).ecx == 0)
  }

  @Test("lets all vCPUs share a cache of level 3, and none of level 1")
  func caches() throws {
    let supported = [
      entry(4, 0, eax: 0xfc00_4121), entry(4, 3, eax: 0xfc00_4163), entry(4, 4, eax: 0),
    ]
    let entries = leaves(supported, of: 4)
    #expect(try leaf(4, 0, in: entries).eax == 3 << 26 | 0x121)
    #expect(try leaf(4, 3, in: entries).eax == 3 << 26 | 3 << 14 | 0x163)
    #expect(try leaf(4, 4, in: entries).eax == 0)
  }
}
