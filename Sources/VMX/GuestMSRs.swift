// SPDX-License-Identifier: Apache-2.0
import X86

/// The guest's MSRs that the VMCS holds. SDM vol. 3, 25.4.1.
extension VMCS {
  func readMSR(_ msr: MSR) -> UInt64? {
    switch msr.rawValue {
    case MSR.systemEnterCS.rawValue: UInt64(self[.systemEnterCS])
    case MSR.systemEnterESP.rawValue: self[.systemEnterESP]
    case MSR.systemEnterEIP.rawValue: self[.systemEnterEIP]
    case MSR.pageAttributeTable.rawValue: self[.pageAttributeTable]
    case MSR.fsBase.rawValue: self[.base(Self.step(.fs))]
    case MSR.gsBase.rawValue: self[.base(Self.step(.gs))]
    default: nil
    }
  }

  /// False also for values that WRMSR would refuse: an entry would fail with them. SDM vol. 3,
  /// 27.3.1.
  func writeMSR(_ msr: MSR, _ value: UInt64) -> Bool {
    guard msr.accepts(value) else { return false }
    switch msr.rawValue {
    case MSR.systemEnterCS.rawValue:
      self[.systemEnterCS] = UInt32(truncatingIfNeeded: value)
    case MSR.pageAttributeTable.rawValue: self[.pageAttributeTable] = value
    case MSR.systemEnterESP.rawValue: self[.systemEnterESP] = value
    case MSR.systemEnterEIP.rawValue: self[.systemEnterEIP] = value
    case MSR.fsBase.rawValue: self[.base(Self.step(.fs))] = value
    case MSR.gsBase.rawValue: self[.base(Self.step(.gs))] = value
    default: return false
    }
    return true
  }
}
