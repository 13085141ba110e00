// SPDX-License-Identifier: Apache-2.0

/// struct apus_cpuid_rule: function, index, flags; masks of EAX, EBX, ECX, EDX; what is set.
public typealias CPUIDRule = (
  UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32
)

/// KVM_GET_SUPPORTED_CPUID: what of the host's CPUID a guest may see. The driver applies it. The
/// compiler lays out constants only, so every mask is one number; a test holds each against the
/// names of its bits. SDM vol. 2, CPUID; APM vol. 3, appendix E.
@section(".rodata.cpuid_rules") @used
public let supportedCPUID: InlineArray<28, CPUIDRule> = [
  (0x0, 0, 0, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0, 0, 0, 0),
  // Features: neither MONITOR nor VMX; x2APIC as far as the host has it; a hypervisor is there.
  (0x1, 0, 0, 0xffff_ffff, 0xffff_ffff, 0x77fa_3203, 0x078b_fbff, 0, 0, 0x8000_0000, 0),
  (0x2, 0, 0, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0, 0, 0, 0),
  // Deterministic cache parameters.
  (0x4, 0, 1, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0, 0, 0, 0),
  (0x4, 1, 1, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0, 0, 0, 0),
  (0x4, 2, 1, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0, 0, 0, 0),
  (0x4, 3, 1, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0, 0, 0, 0),
  // The APIC timer goes on in deep sleep: ARAT.
  (0x6, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0),
  // Neither TSC_ADJUST nor what needs MSRs that are not switched (SPEC_CTRL, PKU, CET).
  (0x7, 0, 1, 0, 0xf1bf_07a9, 0x0040_5f46, 0x0000_0010, 0, 0, 0, 0),
  // Topology: the client's to fill in.
  (0xb, 0, 1, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0, 0, 0, 0),
  (0xb, 1, 1, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0, 0, 0, 0),
  // XSAVE: x87, SSE, AVX, AVX-512; neither XSAVES nor XFD.
  (0xd, 0, 1, 0xe7, 0xffff_ffff, 0xffff_ffff, 0, 0, 0, 0, 0),
  (0xd, 1, 1, 0x7, 0, 0, 0, 0, 0, 0, 0),
  // The components' sizes and places, which differ between processors.
  (0xd, 2, 1, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0, 0, 0, 0),
  (0xd, 5, 1, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0, 0, 0, 0),
  (0xd, 6, 1, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0, 0, 0, 0),
  (0xd, 7, 1, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0, 0, 0, 0),
  // KVM's signature "KVMKVMKVM": Linux then uses x2APIC where it can and kvmclock.
  (0x4000_0000, 0, 0, 0, 0, 0, 0, 0x4000_0001, 0x4b4d_564b, 0x564b_4d56, 0x4d),
  // KVM_FEATURE_CLOCKSOURCE, NOP_IO_DELAY, CLOCKSOURCE2, CLOCKSOURCE_STABLE_BIT.
  (0x4000_0001, 0, 0, 0, 0, 0, 0, 0x0100_000b, 0, 0, 0),
  (0x8000_0000, 0, 0, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0, 0, 0, 0),
  // Neither SVM nor the extended APIC space, topology extensions and counters.
  (0x8000_0001, 0, 0, 0xffff_ffff, 0xffff_ffff, 0x0021_09f3, 0x2fd3_fbff, 0, 0, 0, 0),
  (0x8000_0002, 0, 0, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0, 0, 0, 0),
  (0x8000_0003, 0, 0, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0, 0, 0, 0),
  (0x8000_0004, 0, 0, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0, 0, 0, 0),
  (0x8000_0005, 0, 0, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0, 0, 0, 0),
  (0x8000_0006, 0, 0, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0, 0, 0, 0),
  // Invariant TSC.
  (0x8000_0007, 0, 0, 0, 0, 0, 0x100, 0, 0, 0, 0),
  // Address sizes; CLZERO, IBPB.
  (0x8000_0008, 0, 0, 0xffff, 0x1001, 0, 0, 0, 0, 0, 0),
]

/// KVM_GET_MSR_INDEX_LIST: what a client saves and restores, but the banks of the machine-check
/// registers, of which the client itself says how many there are.
@section(".rodata.msr_list") @used
public let listedMSRs: InlineArray<59, UInt32> = [
  0x10, 0x11, 0x12, 0x1b, 0x3a, 0x3b, 0x8b, 0xce, 0x174, 0x175, 0x176, 0x17a, 0x17b, 0x1a0, 0x1d9,
  0x200, 0x201, 0x202, 0x203, 0x204, 0x205, 0x206, 0x207, 0x208, 0x209, 0x20a, 0x20b, 0x20c, 0x20d,
  0x20e, 0x20f, 0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f, 0x277,
  0x2ff, 0x6e0, 0xc000_0080, 0xc000_0081, 0xc000_0082, 0xc000_0083, 0xc000_0084, 0xc000_0102,
  0xc000_0103, 0xc001_0010, 0xc001_0015, 0xc001_001f, 0xc001_1020, 0xc001_1029, 0x4b56_4d00,
  0x4b56_4d01,
]
