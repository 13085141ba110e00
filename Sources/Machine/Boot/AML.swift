// SPDX-License-Identifier: Apache-2.0

/// ACPI's machine language, as far as the guest's tables need it (ACPI 6.5, 20.2).
enum AML {
  /// `Name (NAME, value)`; `name` has four letters.
  static func name(_ name: String, _ value: [UInt8]) -> [UInt8] {
    [0x08] + Array(name.utf8) + value
  }

  /// `Package () { elements }`
  static func package(_ elements: [[UInt8]]) -> [UInt8] {
    [0x12] + withLength([UInt8(elements.count)] + elements.flatMap { $0 })
  }

  static func byte(_ value: UInt8) -> [UInt8] { value == 0 ? [0x00] : [0x0a, value] }

  /// `Scope (\NAME) { body }`
  static func scope(_ name: String, _ body: [UInt8]) -> [UInt8] {
    [0x10] + withLength([0x5c] + Array(name.utf8) + body)
  }

  /// `Device (NAME) { body }`
  static func device(_ name: String, _ body: [UInt8]) -> [UInt8] {
    [0x5b, 0x82] + withLength(Array(name.utf8) + body)
  }

  static func buffer(_ bytes: [UInt8]) -> [UInt8] {
    [0x11] + withLength(byte(UInt8(bytes.count)) + bytes)
  }

  /// `EisaId ("PNPxxxx")`: three letters of five bits each, and four digits (6.1.5).
  static func plugAndPlay(_ digits: UInt16) -> [UInt8] {
    [0x0c, 0x41, 0xd0, UInt8(digits >> 8), UInt8(digits & 0xff)]
  }

  /// PkgLength: it counts itself (20.2.4).
  private static func withLength(_ body: [UInt8]) -> [UInt8] {
    if body.count < 63 { return [UInt8(body.count + 1)] + body }
    let length = body.count + 2
    precondition(length < 1 << 12)
    return [0x40 | UInt8(length & 0xf), UInt8(length >> 4)] + body
  }

  /// A PCI bus with the number 0, the ports of its configuration and the memory of its devices
  /// (6.4.3.5 Address Space Descriptors).
  static func pciBus(memory: Range<UInt64>) -> [UInt8] {
    // Both ends are fixed, and the range is the bus's, for its devices.
    let fixed: UInt8 = 1 << 2 | 1 << 3
    var resources: [UInt8] = [0x88, 13, 0, 2, fixed, 0]
    for word in [0, 0, 0, 0, 1] as [UInt16] { resources.append(littleEndian: word) }
    resources += [0x47, 1]  // ports, decoded in 16 bits
    for _ in 0..<2 { resources.append(littleEndian: Port.pciConfiguration) }
    resources += [1, UInt8(PCIConfigurationPorts.count)]
    resources += [0x87, 23, 0, 0, fixed, 1]  // memory that is written and not cached
    let last = memory.upperBound - 1
    for word in [0, memory.lowerBound, last, 0, UInt64(memory.count)] {
      resources.append(littleEndian: UInt32(word))
    }
    resources += [0x79, 0]
    let bus = name("_HID", plugAndPlay(0x0a03)) + name("_CRS", buffer(resources))
    return scope("_SB_", device("PCI0", bus))
  }
}
