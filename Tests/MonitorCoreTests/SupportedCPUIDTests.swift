// SPDX-License-Identifier: Apache-2.0
import Contract
import GuestFeatures
import Testing

/// The table's numbers against the names of their bits (SDM vol. 2, CPUID; APM vol. 3, E.4).
@Suite struct SupportedCPUIDTests {
  private func rule(_ function: UInt32, _ index: UInt32 = 0) throws -> CPUIDRule {
    for at in supportedCPUID.indices
    where supportedCPUID[at].0 == function && supportedCPUID[at].1 == index {
      return supportedCPUID[at]
    }
    throw Missing(function: function, index: index)
  }
  private struct Missing: Error {
    let function: UInt32
    let index: UInt32
  }

  private func bits(_ numbers: Int...) -> UInt32 { numbers.reduce(0) { $0 | 1 << UInt32($1) } }

  @Test("A rule has the layout of struct apus_cpuid_rule")
  func layout() {
    #expect(MemoryLayout<CPUIDRule>.size == MemoryLayout<apus_cpuid_rule>.size)
    #expect(MemoryLayout<CPUIDRule>.size == 44)
  }

  @Test("Leaf 1 ECX offers what needs no MSR of its own, and says that a hypervisor is there")
  func features() throws {
    let rule = try rule(1)
    let sse3 = 0, pclmulqdq = 1, ssse3 = 9, fma = 12, cmpxchg16b = 13, pcid = 17, sse41 = 19
    let sse42 = 20, x2apic = 21, movbe = 22, popcnt = 23, deadline = 24, aes = 25, xsave = 26
    let avx = 28, f16c = 29, rdrand = 30
    #expect(
      rule.5
        == bits(
          sse3, pclmulqdq, ssse3, fma, cmpxchg16b, pcid, sse41, sse42, x2apic, movbe, popcnt,
          deadline, aes, xsave, avx, f16c, rdrand))
    #expect(rule.9 == bits(31))
  }

  @Test("MONITOR, VMX, SMX, debug store and performance capabilities are hidden")
  func hiddenFeatures() throws {
    let rule = try rule(1)
    #expect(rule.5 & bits(2, 3, 4, 5, 6, 7, 8, 11, 14, 15, 18) == 0)
    let debugStore = 21, acpi = 22, selfSnoop = 27, thermalMonitor = 29
    #expect(rule.6 & bits(debugStore, acpi, selfSnoop, thermalMonitor) == 0)
  }

  @Test("Leaf 1 EDX offers the classic features with APIC, MTRR and PAT")
  func classicFeatures() throws {
    let fpuToAPIC = bits(0, 1, 2, 3, 4, 5, 6, 7, 8, 9)
    let sepToPSE36 = bits(11, 12, 13, 14, 15, 16, 17)
    let clflush = 19, mmx = 23, fxsr = 24, sse = 25, sse2 = 26
    #expect(try rule(1).6 == fpuToAPIC | sepToPSE36 | bits(clflush, mmx, fxsr, sse, sse2))
  }

  @Test("Leaf 7 hides TSC_ADJUST, protection keys and the speculation-control MSRs")
  func structuredFeatures() throws {
    let rule = try rule(7)
    let tscAdjust = 1, memoryProtection = 14, processorTrace = 25
    #expect(rule.4 & bits(tscAdjust, memoryProtection, processorTrace) == 0)
    let userProtectionKeys = 3, shadowStack = 7, waitpkg = 5, keyLocker = 23
    #expect(rule.5 & bits(userProtectionKeys, shadowStack, waitpkg, keyLocker) == 0)
    let fastShortMove = 4
    #expect(rule.6 == bits(fastShortMove))
  }

  @Test("XSAVE offers x87, SSE, AVX and AVX-512, in the standard and the compacted format")
  func extendedState() throws {
    let x87 = 0, sse = 1, avx = 2, opmask = 5, upperHalves = 6, upperRegisters = 7
    #expect(try rule(0xd).3 == bits(x87, sse, avx, opmask, upperHalves, upperRegisters))
    // Each component that is offered says its size and its place.
    for component in [avx, opmask, upperHalves, upperRegisters] {
      #expect(try rule(0xd, UInt32(component)).3 == .max)
      #expect(try rule(0xd, UInt32(component)).4 == .max)
    }
    let optimised = 0, compacted = 1, getExtendedControl = 2
    #expect(try rule(0xd, 1).3 == bits(optimised, compacted, getExtendedControl))
  }

  @Test("The signature is KVM's, and kvmclock is the only paravirtual feature")
  func signature() throws {
    let rule = try rule(0x4000_0000)
    var name: [UInt8] = []
    for word in [rule.8, rule.9, rule.10] {
      for byte in 0..<4 { name.append(UInt8(truncatingIfNeeded: word >> UInt32(byte * 8))) }
    }
    #expect(name == Array("KVMKVMKVM".utf8) + [0, 0, 0])
    let clockSource = 0, noIODelay = 1, clockSource2 = 3, stable = 24
    #expect(try self.rule(0x4000_0001).7 == bits(clockSource, noIODelay, clockSource2, stable))
  }

  @Test("SVM and AMD's extended APIC space are hidden")
  func extendedFeatures() throws {
    let rule = try rule(0x8000_0001)
    let svm = 2, extendedAPIC = 3, instructionSampling = 10, skinit = 12, watchdog = 13
    let topology = 22, counters = 23
    #expect(
      rule.5 & bits(svm, extendedAPIC, instructionSampling, skinit, watchdog, topology, counters)
        == 0)
    // QEMU asks for it where a guest has several CPUs.
    let cores = 1
    #expect(rule.5 & bits(cores) != 0)
    let systemCall = 11, noExecute = 20, gigabytePages = 26, rdtscp = 27, longMode = 29
    let offered = bits(systemCall, noExecute, gigabytePages, rdtscp, longMode)
    #expect(rule.6 & offered == offered)
  }

  @Test("Every MSR that a client is told to save is listed once")
  func uniqueMSRs() {
    var seen: Set<UInt32> = []
    for index in listedMSRs.indices { seen.insert(listedMSRs[index]) }
    #expect(seen.count == listedMSRs.count)
  }
}
