// SPDX-License-Identifier: Apache-2.0
import Contract
import X86

/// What a sender of interrupts has to know of a local APIC: the numbers to which it answers.
public struct APICAddress: Sendable {
  /// The APIC ID, which is the vCPU's number.
  public var id: UInt32
  public var isX2APIC: Bool
  /// IA32_APIC_BASE.EN. One that is off answers to nobody: SDM vol. 3, 11.4.3.
  public var isEnabled = true
  /// xAPIC mode: LDR and DFR.
  public var logicalDestination: UInt32 = 0
  public var destinationFormat: UInt32 = 0xffff_ffff

  public init(id: UInt32, isX2APIC: Bool = false) {
    self.id = id
    self.isX2APIC = isX2APIC
  }

  /// x2APIC mode: the cluster in the upper half, one bit in the lower. SDM vol. 3, 11.12.10.2.
  public var x2APICLogicalID: UInt32 { (id >> 4) << 16 | 1 << (id & 15) }

  /// As in `apic_addresses` of struct apus_vm.
  var forDriver: UInt32 {
    if !isEnabled { return APUS_APIC_IS_OFF_ }
    if isX2APIC { return APUS_APIC_IS_X2APIC_ }
    return logicalDestination >> 24 | (destinationFormat >> 28 == 0xf ? APUS_APIC_IS_FLAT_ : 0)
  }

  /// Whether a command addresses this APIC. `logical` destinations as the mode in force
  /// reads them. SDM vol. 3, 11.6.2 and 11.12.10.
  public func matches(_ command: InterruptCommand, from sender: UInt32) -> Bool {
    guard isEnabled else { return false }
    return switch command.shorthand {
    case .myself: id == sender
    case .everyone: true
    case .others: id != sender
    case .none:
      command.isLogical ? matchesLogical(command.destination) : matchesPhysical(command.destination)
    }
  }

  func matchesPhysical(_ destination: UInt32) -> Bool {
    destination == id || destination == (isX2APIC ? 0xffff_ffff : 0xff)
  }

  func matchesLogical(_ destination: UInt32) -> Bool {
    if isX2APIC {
      if destination == 0xffff_ffff { return true }
      let own = x2APICLogicalID
      return destination >> 16 == own >> 16 && destination & own & 0xffff != 0
    }
    let mine = logicalDestination >> 24
    if destinationFormat >> 28 == 0xf { return destination & mine & 0xff != 0 }
    return destination >> 4 & 0xf == mine >> 4 && destination & mine & 0xf != 0
  }
}

/// vCPUs of a VM: bit n is vCPU n.
typealias VirtualCPUSet = UInt64

extension VirtualMachineState {
  /// The vCPUs that a command addresses. The APIC of one that was on no CPU yet is as after a reset.
  mutating func targets(
    of command: InterruptCommand, from sender: UInt32, count: UInt32
  ) -> VirtualCPUSet {
    var targets: VirtualCPUSet = 0
    for id in 0..<Int(min(count, APUS_VCPUS))
    where apics[id].matches(command, from: sender) {
      targets |= 1 << VirtualCPUSet(id)
    }
    return targets
  }
}
