// SPDX-License-Identifier: Apache-2.0
import Contract
import Entry

/// KVM_GET_SUPPORTED_CPUID as the driver answers it, handed on by a client that changes nothing.
extension VirtualCPU {
  func offerCPUID() throws(Failure) {
    guard let image = MonitorImage.loaded else { throw .noGuest }
    let header = image.header
    let ruleSize = MemoryLayout<apus_cpuid_rule>.size
    let entrySize = MemoryLayout<kvm_cpuid_entry2>.stride
    var count = 0
    withPayload { payload in
      for index in 0..<Int(header.cpuid_rule_count) {
        let rule = image.pages.load(
          apus_cpuid_rule.self, at: image.offset(of: header.cpuid_rules) + index * ruleSize)
        guard let entry = apply(rule) else { continue }
        payload.store(entry, at: MemoryLayout<kvm_cpuid2>.size + count * entrySize)
        count += 1
      }
      payload.store(UInt64(count), at: 0)
    }
    let answer = try perform(
      KVM_SET_CPUID2_, size: MemoryLayout<kvm_cpuid2>.size + count * entrySize)
    guard answer == 0 else { throw .answer("KVM_SET_CPUID2", answer) }
  }

  /// What a rule makes of the processor's own answer. Nil above the highest function.
  func apply(_ rule: apus_cpuid_rule) -> kvm_cpuid_entry2? {
    var own = cpuid_registers()
    if rule.function >> 28 != 4 {
      guard rule.function <= cpuid(rule.function & 0x8000_0000, 0).eax else { return nil }
      own = cpuid(rule.function, rule.index)
    }
    return kvm_cpuid_entry2(
      function: rule.function, index: rule.index, flags: rule.flags,
      eax: own.eax & rule.mask.0 | rule.set.0, ebx: own.ebx & rule.mask.1 | rule.set.1,
      ecx: own.ecx & rule.mask.2 | rule.set.2, edx: own.edx & rule.mask.3 | rule.set.3,
      padding: (0, 0, 0))
  }
}
