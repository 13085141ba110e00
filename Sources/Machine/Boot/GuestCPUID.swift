// SPDX-License-Identifier: Apache-2.0
import Contract

/// The CPUID leaves of one vCPU, made from those that the device supports.
///
/// Each vCPU is a core of its own in one package; its APIC ID is its number.
struct GuestCPUID {
  var virtualCPU: UInt32
  var virtualCPUs: UInt32
  /// KVM_CAP_TSC_DEADLINE_TIMER: KVM has the mode although older kernels do not list it.
  var hasDeadlineTimer: Bool

  func entries(from supported: [kvm_cpuid_entry2]) -> [kvm_cpuid_entry2] {
    let highest = supported.first { $0.function == 0 }?.eax ?? 0
    // Topology leaves: as many subleaves as the guest's topology has, not the host's.
    var entries = supported.filter { $0.function != 0xb && $0.function != 0x1f }
    if highest >= 0xb { entries += topology(leaf: 0xb) }
    if highest >= 0x1f { entries += topology(leaf: 0x1f) }
    for index in entries.indices { adjust(&entries[index]) }
    return entries
  }

  private func adjust(_ entry: inout kvm_cpuid_entry2) {
    switch entry.function {
    case 1:
      // EBX: APIC ID, then the number of logical processors. Intel SDM 2A, CPUID.
      entry.ebx = entry.ebx & 0xffff | virtualCPUs << 16 | virtualCPU << 24
      entry.ecx |= 1 << 31  // runs under a hypervisor
      if hasDeadlineTimer { entry.ecx |= 1 << 24 }
      // No machine-check architecture: Linux would read its banks again and again, with an exit each.
      entry.edx &= ~(1 << 14)
      if virtualCPUs > 1 { entry.edx |= 1 << 28 } else { entry.edx &= ~(1 << 28) }
    case 4:
      // EAX: cores in the package less one, threads that share the cache less one.
      guard entry.eax & 0x1f != 0 else { return }
      let level = (entry.eax >> 5) & 0x7
      let sharing = level >= 3 ? virtualCPUs - 1 : 0
      entry.eax = entry.eax & 0x3fff | sharing << 14 | (virtualCPUs - 1) << 26
    case 0x8000_0008:
      // ECX: cores less one, and the bits of an APIC ID that number them. AMD APM 3, E.4.7.
      entry.ecx = entry.ecx & ~0xf0ff | (virtualCPUs - 1) | coreBits << 12
    case 0x8000_001d:
      guard entry.eax & 0x1f != 0 else { return }
      let level = (entry.eax >> 5) & 0x7
      entry.eax = entry.eax & 0x3fff | (level >= 3 ? virtualCPUs - 1 : 0) << 14
    case 0x8000_001e:
      // APIC ID; core number with one thread; node 0 of one. AMD APM 3, E.4.17.
      entry.eax = virtualCPU
      entry.ebx = virtualCPU
      entry.ecx = 0
    default: break
    }
  }

  /// Bits that number the cores.
  private var coreBits: UInt32 {
    UInt32(UInt32.bitWidth - (virtualCPUs - 1).leadingZeroBitCount)
  }

  /// Thread level, core level, end. Intel SDM 2A, CPUID leaf 0BH.
  private func topology(leaf: UInt32) -> [kvm_cpuid_entry2] {
    let levels: [(shift: UInt32, processors: UInt32, type: UInt32)] = [
      (0, 1, 1), (coreBits, virtualCPUs, 2), (0, 0, 0),
    ]
    return levels.enumerated().map { index, level in
      var entry = kvm_cpuid_entry2()
      entry.function = leaf
      entry.index = UInt32(index)
      entry.flags = UInt32(KVM_CPUID_FLAG_SIGNIFCANT_INDEX)
      entry.eax = level.shift
      entry.ebx = level.processors
      entry.ecx = UInt32(index) | level.type << 8
      entry.edx = virtualCPU
      return entry
    }
  }
}
