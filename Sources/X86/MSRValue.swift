// SPDX-License-Identifier: Apache-2.0

extension MSR {
  /// Whether WRMSR takes this value, for MSRs whose values are linear addresses or memory types. What
  /// a control block holds is loaded without WRMSR's checks. SDM vol. 3, 27.3.1; APM vol. 2, 15.5.1.
  public func accepts(_ value: UInt64) -> Bool {
    switch rawValue {
    case MSR.lstar.rawValue, MSR.cstar.rawValue, MSR.kernelGSBase.rawValue, MSR.fsBase.rawValue,
      MSR.gsBase.rawValue, MSR.systemEnterESP.rawValue, MSR.systemEnterEIP.rawValue:
      value.isCanonical
    case MSR.pageAttributeTable.rawValue: Self.areMemoryTypes(value)
    default: true
    }
  }

  /// Eight bytes: UC, WC, WT, WP, WB or UC-. SDM vol. 3, table 12-10.
  private static func areMemoryTypes(_ value: UInt64) -> Bool {
    for index in 0..<UInt64(8) {
      let type = value >> (index * 8) & 0xff
      if type > 7 || type == 2 || type == 3 { return false }
    }
    return true
  }
}

extension UInt64 {
  /// As a linear address of 48 bits.
  public var isCanonical: Bool {
    let high = Int64(bitPattern: self) >> 47
    return high == 0 || high == -1
  }
}
