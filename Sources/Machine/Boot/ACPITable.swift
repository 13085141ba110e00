// SPDX-License-Identifier: Apache-2.0

/// A system description table: ACPI 6.5, 5.2.6.
struct ACPITable {
  /// Header and body, with the checksum in place.
  let bytes: [UInt8]

  static let headerSize = 36

  /// `signature` has four letters.
  init(_ signature: String, revision: UInt8, body: [UInt8]) {
    var bytes = Array(signature.utf8)
    precondition(bytes.count == 4)
    bytes.append(littleEndian: UInt32(Self.headerSize + body.count))
    bytes += [revision, 0]  // the checksum follows below
    bytes += Array("APUS  ".utf8)
    bytes += Array("APUSVMM ".utf8)
    bytes.append(littleEndian: UInt32(1))
    bytes += Array("APUS".utf8)
    bytes.append(littleEndian: UInt32(1))
    bytes += body
    bytes[9] = Self.checksum(bytes)
    self.bytes = bytes
  }

  /// The byte that makes the sum of all zero.
  static func checksum(_ bytes: some Sequence<UInt8>) -> UInt8 {
    0 &- bytes.reduce(0, &+)
  }
}
