// SPDX-License-Identifier: Apache-2.0

/// Intercepts at offset 0x0c of the VMCB. APM vol. 2, appendix B.
public struct Intercepts1: OptionSet, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  public static let interrupt = Self(rawValue: 1 << 0)
  public static let nonMaskableInterrupt = Self(rawValue: 1 << 1)
  public static let virtualInterrupt = Self(rawValue: 1 << 4)
  public static let cpuid = Self(rawValue: 1 << 18)
  public static let interruptReturn = Self(rawValue: 1 << 20)
  public static let softwareInterrupt = Self(rawValue: 1 << 21)
  public static let invd = Self(rawValue: 1 << 22)
  public static let halt = Self(rawValue: 1 << 24)
  public static let invlpga = Self(rawValue: 1 << 26)
  public static let ports = Self(rawValue: 1 << 27)
  public static let msrs = Self(rawValue: 1 << 28)
  public static let shutdown = Self(rawValue: 1 << 31)

  /// A guest on a CPU of its own: no interrupt, no HLT, but the NMI that asks for it, and
  /// what would reach beyond the guest.
  public static var direct: Self {
    [.nonMaskableInterrupt, .cpuid, .invd, .invlpga, .ports, .msrs, .shutdown]
  }
}

/// Intercepts at offset 0x10 of the VMCB.
public struct Intercepts2: OptionSet, Sendable {
  public let rawValue: UInt32
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  public static let vmrun = Self(rawValue: 1 << 0)
  public static let vmmcall = Self(rawValue: 1 << 1)
  public static let vmload = Self(rawValue: 1 << 2)
  public static let vmsave = Self(rawValue: 1 << 3)
  public static let stgi = Self(rawValue: 1 << 4)
  public static let clgi = Self(rawValue: 1 << 5)
  public static let skinit = Self(rawValue: 1 << 6)
  public static let wbinvd = Self(rawValue: 1 << 9)
  public static let xsetbv = Self(rawValue: 1 << 13)

  /// VMRUN must be intercepted (APM vol. 2, 15.5.1); a guest's CLGI would mask the NMI that
  /// asks for its CPU; XSETBV could name state that the monitor has no room for.
  public static var direct: Self {
    [.vmrun, .vmmcall, .vmload, .vmsave, .stgi, .clgi, .skinit, .wbinvd, .xsetbv]
  }
}

/// Exceptions that exit: a guest that loops on delivering these never opens an event
/// window, so not even an NMI would get through (CVE-2015-5307, CVE-2015-8104).
public enum InterceptedExceptions {
  public static var mask: UInt32 { 1 << 1 | 1 << 17 | 1 << 18 }
}
