// SPDX-License-Identifier: Apache-2.0
import X86

extension VirtualCPU {
  /// Whether the guest runs 64-bit code.
  var isLongMode: Bool {
    EFER(rawValue: unit.efer).contains(.longModeActive) && unit.codeAttributes.isLong
  }
}
