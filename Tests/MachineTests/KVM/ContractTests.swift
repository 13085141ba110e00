// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing

@Suite("The KVM interface as Swift sees it")
struct ContractTests {
  /// From the kernel's `struct` definitions for x86-64 (arch/x86/include/uapi/asm/kvm.h).
  @Test("has structures of the kernel's sizes")
  func sizes() {
    #expect(MemoryLayout<kvm_regs>.size == 144)
    #expect(MemoryLayout<kvm_sregs>.size == 312)
    #expect(MemoryLayout<kvm_segment>.size == 24)
    #expect(MemoryLayout<kvm_fpu>.size == 416)
    #expect(MemoryLayout<kvm_userspace_memory_region>.size == 32)
    #expect(MemoryLayout<kvm_cpuid_entry2>.stride == 40)
    #expect(MemoryLayout<kvm_pit_config>.size == 64)
    #expect(MemoryLayout<kvm_irq_level>.size == 8)
    #expect(MemoryLayout<kvm_coalesced_mmio_zone>.size == 16)
    #expect(MemoryLayout<kvm_coalesced_mmio>.stride == 24)
    #expect(MemoryLayout<kvm_stats_header>.size == 24)
    #expect(MemoryLayout<kvm_stats_desc>.size == 16)
  }

  /// As strace(1) shows them for a KVM client.
  static let numbers: [(name: String, number: UInt32, expected: UInt32)] = [
    ("KVM_GET_API_VERSION", KVM_GET_API_VERSION_, 0xae00),
    ("KVM_CREATE_VM", KVM_CREATE_VM_, 0xae01),
    ("KVM_CHECK_EXTENSION", KVM_CHECK_EXTENSION_, 0xae03),
    ("KVM_GET_VCPU_MMAP_SIZE", KVM_GET_VCPU_MMAP_SIZE_, 0xae04),
    ("KVM_GET_SUPPORTED_CPUID", KVM_GET_SUPPORTED_CPUID_, 0xc008_ae05),
    ("KVM_CREATE_VCPU", KVM_CREATE_VCPU_, 0xae41),
    ("KVM_SET_USER_MEMORY_REGION", KVM_SET_USER_MEMORY_REGION_, 0x4020_ae46),
    ("KVM_SET_TSS_ADDR", KVM_SET_TSS_ADDR_, 0xae47),
    ("KVM_SET_IDENTITY_MAP_ADDR", KVM_SET_IDENTITY_MAP_ADDR_, 0x4008_ae48),
    ("KVM_CREATE_IRQCHIP", KVM_CREATE_IRQCHIP_, 0xae60),
    ("KVM_IRQ_LINE", KVM_IRQ_LINE_, 0x4008_ae61),
    ("KVM_SET_GSI_ROUTING", KVM_SET_GSI_ROUTING_, 0x4008_ae6a),
    ("KVM_CREATE_PIT2", KVM_CREATE_PIT2_, 0x4040_ae77),
    ("KVM_REGISTER_COALESCED_MMIO", KVM_REGISTER_COALESCED_MMIO_, 0x4010_ae67),
    ("KVM_UNREGISTER_COALESCED_MMIO", KVM_UNREGISTER_COALESCED_MMIO_, 0x4010_ae68),
    ("KVM_RUN", KVM_RUN_, 0xae80),
    ("KVM_GET_REGS", KVM_GET_REGS_, 0x8090_ae81),
    ("KVM_SET_REGS", KVM_SET_REGS_, 0x4090_ae82),
    ("KVM_GET_SREGS", KVM_GET_SREGS_, 0x8138_ae83),
    ("KVM_SET_SREGS", KVM_SET_SREGS_, 0x4138_ae84),
    ("KVM_SET_CPUID2", KVM_SET_CPUID2_, 0x4008_ae90),
    ("KVM_GET_STATS_FD", KVM_GET_STATS_FD_, 0xaece),
  ]

  @Test("has the kernel's request numbers", arguments: numbers)
  func number(name: String, number: UInt32, expected: UInt32) {
    #expect(number == expected, "\(name)")
  }

  @Test("has Apus's additions out of KVM's way")
  func additions() {
    #expect(KVM_SET_LENT_CPU_ == 0xaef0)
    #expect(KVM_GET_LENT_CPU_ == 0xaef1)
    #expect(APUS_RECLAIM_CPU_ == 0xaefa)
    // _IOR: direction 2, the structure's size, 0xae, the number.
    #expect(KVM_APUS_GET_STATISTICS_ >> 16 == 0x8000 | UInt32(MemoryLayout<apus_statistics>.size))
    #expect(KVM_APUS_GET_LAST_EXITS_ >> 16 == 0x8000 | UInt32(MemoryLayout<apus_last_exits>.size))
    #expect(KVM_APUS_PASS_PORTS_ == 0x4008_aef4)
    #expect(APUS_GET_INTERRUPTS_ >> 16 == 0xc000 | UInt32(MemoryLayout<apus_interrupts>.size))
    #expect(APUS_GET_HOST_ >> 16 == 0x8000 | UInt32(MemoryLayout<apus_host>.size))
  }
}
