// SPDX-License-Identifier: Apache-2.0

/// struct apus_feature_msr: number, nothing; mask; what is set.
public typealias FeatureMSR = (UInt32, UInt32, UInt64, UInt64)

/// KVM_GET_MSR_FEATURE_INDEX_LIST, and what KVM_GET_MSRS of the device answers. The driver applies it
/// to this machine's processor.
@section(".rodata.feature_msrs") @used
public let featureMSRs: InlineArray<3, FeatureMSR> = [
  // The microcode's revision: bits 32 to 63 on Intel, 0 to 31 on AMD.
  (0x8b, 0, 0xffff_ffff_ffff_ffff, 0),
  // IA32_ARCH_CAPABILITIES: CPUID does not offer it.
  (0x10a, 0, 0, 0),
  // DE_CFG: LFENCE waits for all earlier instructions.
  (0xc001_1029, 0, 0, 2),
]
