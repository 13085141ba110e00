// SPDX-License-Identifier: Apache-2.0

/// Whose virtualisation an emulated processor has, and with that the emulator.
public enum Vendor: String, Sendable, CaseIterable {
  /// SVM: QEMU.
  case amd
  /// VT-x: Bochs.
  case intel
}
