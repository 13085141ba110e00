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
    switch msr.rawValue {
    case MSR.systemEnterCS.rawValue:
      self[.systemEnterCS] = UInt32(truncatingIfNeeded: value)
    case MSR.pageAttributeTable.rawValue:
      guard Self.areMemoryTypes(value) else { return false }
      self[.pageAttributeTable] = value
    default:
      guard Self.isCanonical(value) else { return false }
      switch msr.rawValue {
      case MSR.systemEnterESP.rawValue: self[.systemEnterESP] = value
      case MSR.systemEnterEIP.rawValue: self[.systemEnterEIP] = value
      case MSR.fsBase.rawValue: self[.base(Self.step(.fs))] = value
      case MSR.gsBase.rawValue: self[.base(Self.step(.gs))] = value
      default: return false
      }
    }
    return true
  }

  static func isCanonical(_ address: UInt64) -> Bool {
    let high = Int64(bitPattern: address) >> 47
    return high == 0 || high == -1
  }

  /// Eight bytes: UC, WC, WT, WP, WB or UC-. SDM vol. 3, table 12-10.
  static func areMemoryTypes(_ value: UInt64) -> Bool {
    for index in 0..<UInt64(8) {
      let type = value >> (index * 8) & 0xff
      if type > 7 || type == 2 || type == 3 { return false }
    }
    return true
  }
}
