// SPDX-License-Identifier: Apache-2.0
import X86

/// What of a guest's local APIC is not the real one. The rest (priority, service and request
/// registers, timer, error LVT, spurious vector) is the real APIC's, used by the guest
/// directly; `software` holds it while the vCPU is on no CPU, and while the APIC is emulated.
public struct VirtualAPIC: Sendable {
  /// IA32_APIC_BASE as the guest sees it.
  public var base: APICBase
  /// The guest's own number.
  public let id: UInt32
  /// LVT entries that must not reach the real ones: the real LINT pins belong to the
  /// machine, and a performance or thermal interrupt could be made an NMI or SMI.
  public var lint0 = APICRegister.lvtMasked
  public var lint1 = APICRegister.lvtMasked
  public var performance = APICRegister.lvtMasked
  public var thermal = APICRegister.lvtMasked
  public var machineCheck = APICRegister.lvtMasked
  /// xAPIC only: the ICR as it was last written.
  public var commandLow: UInt32 = 0
  public var commandHigh: UInt32 = 0
  public var logicalDestination: UInt32 = 0
  public var destinationFormat: UInt32 = 0xffff_ffff
  public var software = SoftwareAPIC()
  /// Who keeps the timer. All but `direct` have the APIC emulated.
  public var policy = TimerPolicy.direct
  /// What the client has asked for, where that has to wait.
  public var wantedPolicy = TimerPolicy.direct
  /// While the APIC is emulated: the external interrupt that the unit is to deliver, or that was put off, is
  /// one of `software`.
  public var ownsInjection = false

  public init(id: UInt32, bootstrap: Bool) {
    self.id = id
    base = APICBase(
      rawValue: APICBase.defaultAddress | APICBase.globalEnable
        | (bootstrap ? APICBase.bootstrapProcessor : 0))
  }

  /// What senders have to know of it.
  public var address: APICAddress {
    var address = APICAddress(id: id, isX2APIC: base.isX2APIC)
    address.logicalDestination = logicalDestination
    address.destinationFormat = destinationFormat
    address.isEnabled = base.isEnabled
    return address
  }

  /// Whether the 8259 reaches the guest: APIC off, or LINT0 open as ExtINT.
  public var acceptsExternal: Bool {
    guard base.isEnabled else { return true }
    return lint0 & APICRegister.lvtMasked == 0
      && lint0 >> 8 & 7 == UInt32(DeliveryMode.external.rawValue)
  }
}

/// Bits of LVT entries that a guest can set. SDM vol. 3, figure 11-8.
public enum LocalVector {
  public static var timerMask: UInt32 { 0x700ff }
  public static var errorMask: UInt32 { 0x100ff }
  /// LINT0, LINT1: delivery mode, polarity and trigger mode.
  public static var pinMask: UInt32 { 0x1a7ff }
  /// Performance counters, thermal sensor, machine checks: delivery mode.
  public static var internalMask: UInt32 { 0x107ff }
}
