// SPDX-License-Identifier: Apache-2.0

/// KVM_MSR_FILTER_READ and KVM_MSR_FILTER_WRITE.
public enum MSRAccess: UInt32, Sendable {
  case read = 1
  case write = 2
}
