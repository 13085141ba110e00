// SPDX-License-Identifier: Apache-2.0
import Contract

/// How one vCPU was run and what it cost.
public struct VirtualCPUResult: Equatable, Sendable {
  public var id: Int
  /// The host's CPU, where the vCPU had one of its own.
  public var cpu: Int?
  public var exits: ExitCounts
  /// What the guest made of its local APIC.
  public var apic: APICMode
  public var interrupts: Mode
  public var timer: Mode
  /// Only on `/dev/apus`.
  public var lent: LentTime?

  public enum APICMode: String, Codable, Sendable {
    case disabled
    case xAPIC = "xapic"
    case x2APIC = "x2apic"

    init(_ mode: apus_apic_mode) {
      self =
        switch mode {
        case APUS_APIC_X2APIC: .x2APIC
        case APUS_APIC_XAPIC: .xAPIC
        default: .disabled
        }
    }

    /// From IA32_APIC_BASE.
    init(base: UInt64) {
      self =
        base & BootRegisters.apicEnabled == 0
        ? .disabled : base & BootRegisters.x2APICEnabled != 0 ? .x2APIC : .xAPIC
    }
  }

  /// Whether the guest has the hardware itself, and why.
  public struct Mode: Codable, Equatable, Sendable {
    public var mode: Name
    public var reason: String

    public enum Name: String, Codable, Sendable { case direct, emulated }

    public var isDirect: Bool { mode == .direct }

    init(isDirect: Bool, reason: String) {
      mode = isDirect ? .direct : .emulated
      self.reason = reason
    }
  }

  /// Where the time of a lent CPU went, in ticks of its time-stamp counter.
  public struct LentTime: Equatable, Sendable, Encodable {
    public var entries: UInt64
    public var runCycles: UInt64
    /// Real interrupts that the driver sent to the guest for interrupt lines.
    public var interruptsSent: UInt64
    /// NMIs that the driver sent to the monitor.
    public var kicks: UInt64
  }

  /// A vCPU of `/dev/kvm`. `apicBase` is IA32_APIC_BASE at the end.
  init(id: Int, kvm exits: ExitCounts, pinnedTo cpu: Int?, apicBase: UInt64) {
    self.id = id
    self.cpu = cpu
    self.exits = exits
    apic = APICMode(base: apicBase)
    interrupts = Mode(isDirect: false, reason: "KVM takes the interrupts of a CPU it shares")
    timer = Mode(isDirect: false, reason: "KVM lends a timer of the host's")
  }

  /// A vCPU of `/dev/apus` that the driver says nothing of any longer.
  init(lostOnApus id: Int) {
    self.id = id
    exits = .none
    apic = .disabled
    let reason = "not known: the driver has ended this vCPU"
    interrupts = Mode(isDirect: false, reason: reason)
    timer = Mode(isDirect: false, reason: reason)
  }

  /// A vCPU of `/dev/apus`.
  init(id: Int, apus statistics: apus_statistics) {
    self.id = id
    cpu = Int(statistics.lent_cpu)
    exits = ExitCounts(statistics)
    let apic = APICMode(apus_apic_mode(rawValue: statistics.apic_mode))
    self.apic = apic
    let mode = apus_timer_mode(rawValue: statistics.timer_mode)
    let isEmulated = mode == APUS_TIMER_MONITOR || mode == APUS_TIMER_PREEMPTION
    interrupts =
      switch apic {
      case _ where isEmulated:
        Mode(isDirect: false, reason: "asked for: the monitor takes and injects them")
      case .x2APIC: Mode(isDirect: true, reason: "the guest uses x2APIC on a lent CPU")
      case .xAPIC:
        Mode(isDirect: false, reason: "the guest stayed in xAPIC mode, whose EOI writes exit")
      case .disabled: Mode(isDirect: false, reason: "the guest left its APIC off")
      }
    timer =
      switch mode {
      case APUS_TIMER_DIRECT:
        Mode(isDirect: true, reason: "the guest sets the lent CPU's APIC timer")
      case APUS_TIMER_CONVERTED:
        Mode(isDirect: false, reason: "the guest has a TSC of its own: setting a deadline exits")
      case APUS_TIMER_MONITOR:
        Mode(isDirect: false, reason: "asked for: the lent CPU's APIC timer rings in the monitor")
      case APUS_TIMER_PREEMPTION:
        Mode(isDirect: false, reason: "asked for: the VMX-preemption timer ends the guest's run")
      default: Mode(isDirect: false, reason: "direct only in x2APIC mode")
      }
    lent = LentTime(
      entries: statistics.entries, runCycles: statistics.run_cycles,
      interruptsSent: statistics.interrupts_sent, kicks: statistics.kicks)
  }
}
