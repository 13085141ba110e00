// SPDX-License-Identifier: Apache-2.0
import KVM

/// What runs a guest: Apus on CPUs that are lent, or the host's own KVM on CPUs that it shares.
public enum Hypervisor: String, Codable, Sendable {
  case apus
  case kvm

  init(_ system: borrowing System) { self = system.apusVersion > 0 ? .apus : .kvm }
}
