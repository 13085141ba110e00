// SPDX-License-Identifier: Apache-2.0

/// The whole map of guest addresses. All values are guest-physical bytes.
public enum GuestLayout {
  /// Segment descriptors that the kernel uses until it has its own.
  static let descriptorTable: UInt64 = 0x500
  /// `struct boot_params`, one page.
  static let bootParameters: UInt64 = 0x7000
  /// Six pages: PML4, PDPT and four page directories.
  static let pageTables: UInt64 = 0x9000
  /// The kernel's command line, zero terminated.
  static let commandLine: UInt64 = 0x2_0000
  /// Bytes kept for it, the terminating zero included.
  static let commandLineCapacity = 0x1_0000
  /// Where conventional memory ends: extended BIOS data follows.
  static let conventionalEnd: UInt64 = 0x9_fc00
  /// ACPI tables, where a BIOS would have them (ACPI 6.5, 5.2.5.1: RSDP in 0xe0000 to 0xfffff).
  static let acpi: UInt64 = 0xe_0000
  static let acpiEnd: UInt64 = 0x10_0000
  /// Memory above the first mebibyte.
  static let extended: UInt64 = 0x10_0000
  /// Memory below 4 GiB ends here at the latest; devices have the rest.
  static let hole: UInt64 = 0xc000_0000
  /// Memory that does not fit below the hole continues here.
  static let high: UInt64 = 0x1_0000_0000
  /// Where PCI devices have their memory: 32 KiB for each of a bus.
  static let pciMemory: Range<UInt64> = 0xd000_0000..<0xd010_0000
  /// Interrupt controllers (Intel SDM 3A, 11.4.1; 82093AA datasheet).
  static let ioAPIC: UInt64 = 0xfec0_0000
  static let localAPIC: UInt64 = 0xfee0_0000
  /// Pages that KVM needs on Intel's processors: one for KVM_SET_IDENTITY_MAP_ADDR and then
  /// three for KVM_SET_TSS_ADDR.
  static let identityMap: UInt64 = 0xfffb_c000
  static let taskStateSegment: UInt64 = 0xfffb_d000

  /// The guest's memory as ranges of guest addresses, lowest first.
  public static func memory(size: UInt64) -> [Range<UInt64>] {
    guard size > hole else { return [0..<size] }
    return [0..<hole, high..<(high + size - hole)]
  }
}

/// I/O ports of the devices.
enum Port {
  static let firstSerial: UInt16 = 0x3f8
  static let secondSerial: UInt16 = 0x2f8
  static let keyboard: UInt16 = 0x60
  static let keyboardCommand: UInt16 = 0x64
  static let clock: UInt16 = 0x70
  static let post: UInt16 = 0x80
  static let pciConfiguration: UInt16 = 0xcf8
  static let reset: UInt16 = 0xcf9
  static let powerManagementEvent: UInt16 = 0x600
  static let powerManagementControl: UInt16 = 0x604
  static let powerManagementTimer: UInt16 = 0x608
}

/// Interrupt lines of the devices.
enum InterruptNumber {
  static let secondSerial: UInt32 = 3
  static let firstSerial: UInt32 = 4
  /// ACPI's system control interrupt.
  static let systemControl: UInt32 = 9
}
