// SPDX-License-Identifier: Apache-2.0
import Contract

/// Whether a host can lend CPUs, and if not, what to do.
public struct HostCheck: Equatable, Sendable {
  public let findings: [Finding]
  /// CPUs that could be lent now, if nothing stands in the way.
  public let lendableCPUs: [Int]

  /// The CPU that was asked about; nil: any.
  public let cpu: Int?

  public var canLend: Bool {
    !lendableCPUs.isEmpty && !findings.contains { $0.state == .problem }
  }

  public init(_ facts: HostFacts, cpu: Int? = nil) {
    self.cpu = cpu
    let cpus = CPUCheck(facts)
    lendableCPUs = cpu.map { cpus.lendable.contains($0) ? [$0] : [] } ?? cpus.lendable
    findings =
      Self.processor(facts) + [Self.driver(facts)] + Self.monitor(facts)
      + [cpu.map(cpus.finding) ?? cpus.finding] + Self.threads(facts, cpu: cpu)
      + Self.pool(facts) + Self.kernel(facts, cpu: cpu) + Self.notes(facts)
  }

  private static func processor(_ facts: HostFacts) -> [Finding] {
    let processor = facts.processor
    let vendor = processor.vendor
    guard vendor != .other else {
      return [
        .problem(
          "processor", "it is neither Intel's nor AMD's",
          fix: "use a machine whose processor has VT-x or SVM")
      ]
    }
    guard processor.hasVirtualisation else {
      return [
        .problem(
          "processor", "this \(vendor.rawValue) processor has no \(vendor.extensionName)",
          fix: processor.isGuest
            ? "this machine is a guest: let its hypervisor pass \(vendor.extensionName) on"
            : "switch \(vendor.extensionName) on in the firmware's setup if it is there, or use "
              + "another machine")
      ]
    }
    var findings: [Finding] = []
    if isFirmwareOff(facts) {
      findings.append(
        .problem(
          "firmware", "it has switched \(vendor.extensionName) off",
          fix:
            "switch on \(vendor == .intel ? "VT-x (Intel Virtualization Technology)" : "SVM mode")"
            + " in the firmware's setup and power-cycle the machine"))
    }
    if !processor.hasNestedPaging {
      findings.append(
        .problem(
          "nested paging", "this processor has no \(vendor.nestedPagingName)",
          fix: processor.isGuest
            ? "let this guest's hypervisor pass \(vendor.nestedPagingName) on"
            : "use a machine with \(vendor.nestedPagingName)"))
    }
    if !processor.hasX2APIC {
      findings.append(
        .problem(
          "x2APIC", "this processor has none",
          fix: processor.isGuest
            ? "let this guest's hypervisor offer x2APIC" : "use a machine with x2APIC"))
    }
    guard findings.isEmpty else { return findings }
    let features = "\(vendor.extensionName), \(vendor.nestedPagingName) and x2APIC"
    return [.good("processor", "\(vendor.rawValue) with \(features)")]
  }

  /// The driver has asked the processor; without it Linux's list of flags must do.
  private static func isFirmwareOff(_ facts: HostFacts) -> Bool {
    if case .open(let state) = facts.device { return state.isFirmwareOff }
    return !facts.processor.isVirtualisationInFlags
  }

  private static func driver(_ facts: HostFacts) -> Finding {
    let path = facts.devicePath
    switch facts.device {
    case .open(let state) where state.version != APUS_ABI_VERSION:
      return .problem(
        "driver",
        "it speaks version \(state.version) of the interface and this program "
          + "\(APUS_ABI_VERSION)",
        fix: "build both from the same source, then rmmod apus and insmod apus.ko")
    case .open: return .good("driver", "\(path) answers")
    case .noPermission:
      return .problem(
        "driver", "no permission to open \(path)",
        fix: "run as root, or as a member of the group that owns \(path) (ls -l \(path))")
    case .unusable(let reason):
      return .problem(
        "driver", "\(path) is not usable: \(reason)",
        fix: "name Apus's device with --device; it is /dev/apus by default")
    case .missing where facts.isDriverLoaded:
      return .problem(
        "driver", "the module is loaded but \(path) is missing",
        fix: "see why in the kernel's log (dmesg | grep apus), or mount devtmpfs at /dev")
    case .missing: return missingDriver(facts)
    }
  }

  private static func missingDriver(_ facts: HostFacts) -> Finding {
    if facts.areModulesDisabled {
      return .problem(
        "driver",
        "the module is not loaded, and this kernel loads no more modules "
          + "(kernel.modules_disabled is 1)",
        fix: "boot again and load apus.ko before that is set")
    }
    if let lockdown = facts.lockdown, lockdown != "none" {
      return .problem(
        "driver",
        "the module is not loaded, and the kernel is locked down (\(lockdown)): it loads "
          + "signed modules only",
        fix: "sign apus.ko with a key that this machine has enrolled (mokutil --import), or switch "
          + "Secure Boot off in the firmware's setup")
    }
    return .problem(
      "driver", "the module is not loaded", fix: "modprobe apus, or insmod apus.ko, as root")
  }

  private static func monitor(_ facts: HostFacts) -> [Finding] {
    let isMissing: Bool
    if case .open(let state) = facts.device {
      if state.isMonitorOther {
        return [
          .problem(
            "monitor", "/lib/firmware/apus/monitor is not the image that the driver was built with",
            fix: "install both from one build (make install), then rmmod apus and modprobe apus")
        ]
      }
      guard state.isMonitorMissing else {
        return [.good("monitor", "its image has \(state.imageSize >> 10) KiB")]
      }
      isMissing = true
    } else {
      isMissing = !facts.hasMonitorFile
    }
    guard isMissing else { return [.good("monitor", "/lib/firmware/apus/monitor is there")] }
    return [
      .problem(
        "monitor", "its image is missing or malformed",
        fix: "copy build/monitor to /lib/firmware/apus/monitor")
    ]
  }

  /// Nothing separates the threads of a core: see L1TF and MDS in Linux's admin-guide/hw-vuln.
  private static func threads(_ facts: HostFacts, cpu: Int?) -> [Finding] {
    let shared = facts.siblings.filter { !$0.value.isEmpty && (cpu == nil || $0.key == cpu) }
    guard let first = shared.keys.max(), let others = shared[first] else { return [] }
    let core = CPUList((others + [first]).sorted())
    return [
      .note(
        "threads",
        "CPUs \(core) are threads of one core: lend them together (--cpu \(core)); otherwise guest and "
          + "Linux slow each other down and may spy on each other")
    ]
  }

  /// What Linux makes of the machine: the driver knows.
  private static func kernel(_ facts: HostFacts, cpu: Int?) -> [Finding] {
    guard case .open(let state) = facts.device else { return [] }
    var findings: [Finding] = []
    if state.isUnsuitable {
      findings.append(
        .problem(
          "host", "its memory is encrypted, or it is prepared for SEV-SNP or TDX, or it is Xen's",
          fix: "see which in the kernel's log after an attempt (dmesg | grep apus): switch it off"))
    }
    let flat = state.flatCPUs.filter { cpu == nil || $0 == cpu }
    if !flat.isEmpty {
      findings.append(
        .note(
          "interrupts",
          "Linux addresses CPUs by logical flat mode, and CPUs \(CPUList(flat)) may take its interrupts to "
            + "others while they are lent: switch on VT-d or AMD-Vi with interrupt remapping in the "
            + "firmware's setup, so that Linux uses x2APIC"))
    }
    if state.isTSCUnstable {
      findings.append(
        .note(
          "clock",
          "Linux does not trust this machine's TSC (dmesg | grep -i tsc): clocks of a guest with several "
            + "CPUs may go backwards"))
    }
    return findings
  }

  private static func pool(_ facts: HostFacts) -> [Finding] {
    guard case .open(let state) = facts.device else { return [] }
    guard !state.pool.isEmpty else {
      return [
        .note(
          "pool",
          "it has no CPU for clients that name none, such as QEMU: `apus pool 2-3`, as root, names two"
        )
      ]
    }
    let lent = state.pool.filter(state.lentCPUs.contains)
    return [
      .good(
        "pool",
        "\(CPUList(state.pool))" + (lent.isEmpty ? "" : ", of which \(CPUList(lent)) is lent"))
    ]
  }

  private static func notes(_ facts: HostFacts) -> [Finding] {
    var notes: [Finding] = []
    if facts.isKVMLoaded {
      notes.append(.note("KVM", "it is loaded and keeps to the CPUs that are not lent"))
    }
    if facts.processor.isGuest {
      notes.append(
        .note(
          "hypervisor",
          "this machine is itself a guest: lent CPUs are its own only "
            + "as far as its hypervisor lets them"))
    }
    return notes
  }
}
