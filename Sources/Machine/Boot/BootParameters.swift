// SPDX-License-Identifier: Apache-2.0

/// `struct boot_params`, the "zero page": Linux's Documentation/arch/x86/zero-page.rst.
struct BootParameters {
  private(set) var page = [UInt8](repeating: 0, count: 4096)

  enum Field {
    static let acpiRSDP = 0x70
    static let addressMapCount = 0x1e8
    static let videoMode = 0x1fa
    static let loaderType = 0x210
    static let loadFlags = 0x211
    static let initrdAddress = 0x218
    static let initrdSize = 0x21c
    static let commandLine = 0x228
    static let addressMap = 0x2d0
  }

  init(
    image: LinuxImage, addressMap: AddressMap, commandLine: UInt64, initrd: Range<UInt64>?
  ) {
    let start = LinuxImage.Field.setupSectors
    page.replaceSubrange(start..<(start + image.setupHeader.count), with: image.setupHeader)
    page.store(GuestLayout.acpi, at: Field.acpiRSDP)
    page.store(UInt16(0xffff), at: Field.videoMode)  // "normal"
    page[Field.loaderType] = 0xff  // a loader without a number of its own
    page[Field.loadFlags] &= ~0x80  // no heap for the real-mode code, which does not run
    page.store(UInt32(commandLine), at: Field.commandLine)
    if let initrd {
      page.store(UInt32(initrd.lowerBound), at: Field.initrdAddress)
      page.store(UInt32(initrd.upperBound - initrd.lowerBound), at: Field.initrdSize)
    }
    let entries = addressMap.encoded
    page[Field.addressMapCount] = UInt8(addressMap.entries.count)
    page.replaceSubrange(Field.addressMap..<(Field.addressMap + entries.count), with: entries)
  }
}
