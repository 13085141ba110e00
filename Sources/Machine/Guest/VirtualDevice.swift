// SPDX-License-Identifier: Apache-2.0

/// A device that a guest is to have beside a PC's own.
public enum VirtualDevice: Equatable, Sendable {
  case disk(Disk)
  /// Behind a TAP interface of that name.
  case network(tap: String)
  /// Sockets to the host; the number is the guest's address.
  case socket(ContextIdentifier)
  case entropy

  /// `FILE` or `FILE,readonly`: a file or a block device with a disk's bytes.
  public struct Disk: Equatable, Sendable {
    public var path: String
    public var isReadOnly: Bool

    public init?(_ text: String) {
      let option = ",readonly"
      isReadOnly = text.hasSuffix(option)
      path = isReadOnly ? String(text.dropLast(option.count)) : text
      if path.isEmpty { return nil }
    }
  }

  /// A guest's address for sockets: 0, 1 and 2 have other meanings, and the largest is "any".
  public struct ContextIdentifier: Equatable, Sendable {
    public let number: UInt32

    public init?(_ text: String) {
      // The initialiser would take a sign.
      guard text.allSatisfy(\.isNumber), let number = UInt32(text), number > 2, number < .max
      else { return nil }
      self.number = number
    }
  }
}
