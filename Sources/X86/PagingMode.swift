// SPDX-License-Identifier: Apache-2.0

/// The registers that say how a guest translates addresses. SDM vol. 3, 4.1.
public struct PagingMode: Equatable, Sendable {
  public let cr0: CR0
  public let cr3: UInt64
  public let cr4: CR4
  public let efer: EFER
  /// MAXPHYADDR: entries that name an address beyond it have reserved bits set.
  public let physicalAddressBits: UInt8

  public init(
    cr0: UInt64, cr3: UInt64, cr4: UInt64, efer: UInt64, physicalAddressBits: UInt8 = 52
  ) {
    self.cr0 = CR0(rawValue: cr0)
    self.cr3 = cr3
    self.cr4 = CR4(rawValue: cr4)
    self.efer = EFER(rawValue: efer)
    self.physicalAddressBits = min(max(physicalAddressBits, 32), 52)
  }

  public enum Format: Equatable, Sendable {
    /// Linear addresses are physical ones.
    case none
    /// Two levels of 4-byte entries.
    case twoLevel
    /// Three levels of 8-byte entries, the first with four of them.
    case extended
    case fourLevel
    case fiveLevel
  }

  public var format: Format {
    guard cr0.contains(.paging) else { return .none }
    guard cr4.contains(.physicalAddressExtension) else { return .twoLevel }
    guard efer.contains(.longModeActive) else { return .extended }
    return cr4.contains(.la57) ? .fiveLevel : .fourLevel
  }

  /// Whether a linear address is one that this mode can translate; another one is a general
  /// protection or stack fault before any table is read. SDM vol. 1, 3.3.7.1.
  public func isCanonical(_ address: Linear) -> Bool {
    let linear = address.rawValue
    return switch format {
    case .fourLevel: Self.isSignExtension(linear, bits: 48)
    case .fiveLevel: Self.isSignExtension(linear, bits: 57)
    case .none, .twoLevel, .extended: linear >> 32 == 0
    }
  }

  private static func isSignExtension(_ linear: UInt64, bits: UInt64) -> Bool {
    let high = Int64(bitPattern: linear) >> Int64(bits - 1)
    return high == 0 || high == -1
  }

  /// Bits of an 8-byte entry's address that no processor with this MAXPHYADDR uses.
  var reservedAddressBits: UInt64 {
    0x000f_ffff_ffff_f000 & ~(1 << UInt64(physicalAddressBits) - 1)
  }
}
