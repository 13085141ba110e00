// SPDX-License-Identifier: Apache-2.0
import LinuxCalls

/// What the host's processor can do, as far as lending depends on it.
public struct ProcessorFacts: Equatable, Sendable {
  public enum Vendor: String, Sendable {
    case intel = "Intel"
    case amd = "AMD"
    case other = "unknown"

    /// The extension's name in Linux's list of flags, and as people call it.
    var flag: String { self == .intel ? "vmx" : "svm" }
    var extensionName: String { self == .intel ? "VT-x" : "SVM" }
    var nestedPagingFlag: String { self == .intel ? "ept" : "npt" }
    var nestedPagingName: String { self == .intel ? "EPT" : "NPT" }
    var module: String { self == .intel ? "kvm_intel" : "kvm_amd" }
  }

  public var vendor: Vendor
  /// CPUID has the extension; firmware may still have switched it off.
  public var hasVirtualisation: Bool
  /// Linux found the extension usable.
  public var isVirtualisationInFlags: Bool
  public var hasNestedPaging: Bool
  public var hasX2APIC: Bool
  /// This machine is itself a guest.
  public var isGuest: Bool

  /// `flags` is the first CPU's `flags` line of /proc/cpuinfo; `vmxFlags` the other such line of
  /// Intel's processors.
  init(
    vendor: Vendor, flags: Set<Substring>, vmxFlags: Set<Substring>,
    cpuid: (_ leaf: UInt32) -> cpuid_registers
  ) {
    self.vendor = vendor
    // Intel SDM 2A, CPUID leaf 1: ECX bit 5 VMX, bit 21 x2APIC, bit 31 a hypervisor's. AMD APM 3,
    // E.4.1: leaf 8000_0001H, ECX bit 2 SVM; E.4.10: leaf 8000_000AH, EDX bit 0 NP.
    hasVirtualisation =
      vendor == .intel ? cpuid(1).ecx & 1 << 5 != 0 : cpuid(0x8000_0001).ecx & 1 << 2 != 0
    isVirtualisationInFlags = flags.contains(Substring(vendor.flag))
    // On Intel's processors only privileged software can ask; Linux did.
    hasNestedPaging =
      vendor == .intel
      ? flags.contains("ept") || vmxFlags.contains("ept")
      : hasVirtualisation && cpuid(0x8000_000a).edx & 1 != 0
    hasX2APIC = cpuid(1).ecx & 1 << 21 != 0
    isGuest = cpuid(1).ecx & 1 << 31 != 0
  }

  /// This machine's.
  init(_ files: HostFiles) {
    let lines = files.text("/proc/cpuinfo")?.split(separator: "\n") ?? []
    func value(_ name: String) -> Substring {
      // A name, a tab or two, ": " and the value.
      guard let line = lines.first(where: { $0.hasPrefix(name + "\t") }),
        let colon = line.firstIndex(of: ":")
      else { return "" }
      return line[colon...].dropFirst(2)
    }
    let vendor: Vendor =
      switch value("vendor_id") {
      case "GenuineIntel": .intel
      case "AuthenticAMD", "HygonGenuine": .amd
      default: .other
      }
    self.init(
      vendor: vendor, flags: Set(value("flags").split(separator: " ")),
      vmxFlags: Set(value("vmx flags").split(separator: " ")), cpuid: cpuid)
  }
}
