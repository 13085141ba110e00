// SPDX-License-Identifier: Apache-2.0

/// What makes an emulated host one that can pass a device on: PCI Express, an IOMMU of Intel's, and
/// behind it an NVMe disk whose interrupts are MSI-X. The disk holds the kernel's image, whatever
/// is written to it goes nowhere.
public struct PassedDisk: Sendable, Equatable {
  /// Otherwise a device's messages name a CPU and a vector themselves.
  public var remapsInterrupts: Bool

  public init(remapsInterrupts: Bool) { self.remapsInterrupts = remapsInterrupts }

  /// Where scripts find it.
  static let address = "0000:00:05.0"

  /// Of the kernel's command line: Debian's leaves an IOMMU off.
  static let words = "intel_iommu=on"

  func options(disk file: String) -> [String] {
    let remapping = remapsInterrupts ? "intremap=on,eim=on" : "intremap=off"
    return [
      "-M", "q35,kernel-irqchip=split", "-device", "intel-iommu,\(remapping)",
      "-drive", "file=\(file),format=raw,if=none,id=passed,snapshot=on",
      "-device", "nvme,serial=passed,drive=passed,addr=5",
    ]
  }
}
