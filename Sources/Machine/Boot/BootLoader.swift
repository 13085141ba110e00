// SPDX-License-Identifier: Apache-2.0

/// Places a kernel, its command line and its initial RAM disk in the guest's memory.
public struct BootLoader: Sendable {
  public let image: LinuxImage
  public let commandLine: String
  public let initrd: [UInt8]
  /// The kernel's place, from its start to what it needs before it has unpacked itself.
  let kernelRange: Range<UInt64>
  let initrdRange: Range<UInt64>?

  public init(
    image: LinuxImage, commandLine: String, initrd: [UInt8], memorySize: UInt64
  ) throws(BootError) {
    self.image = image
    self.commandLine = commandLine
    self.initrd = initrd

    let limit = min(image.commandLineMaximum, GuestLayout.commandLineCapacity - 1)
    let length = commandLine.utf8.count
    guard length <= limit else { throw .commandLineTooLong(bytes: length, limit: limit) }

    let kernelEnd = image.preferredAddress + image.initialSize
    kernelRange = image.preferredAddress..<kernelEnd
    let needed = kernelEnd + Self.pages(initrd.count)
    let lowMemoryEnd = min(memorySize, GuestLayout.hole)
    guard needed <= lowMemoryEnd else {
      throw .memoryTooSmall(bytes: memorySize, needed: needed)
    }
    guard !initrd.isEmpty else {
      initrdRange = nil
      return
    }
    let end = min(lowMemoryEnd, image.initrdMaximum &+ 1)
    let size = Self.pages(initrd.count)
    guard end >= kernelEnd + size else {
      throw .memoryTooSmall(bytes: memorySize, needed: needed)
    }
    let start = (end - size) & ~0xfff
    initrdRange = start..<(start + UInt64(initrd.count))
  }

  private static func pages(_ bytes: Int) -> UInt64 { (UInt64(bytes) + 0xfff) & ~0xfff }

  func load(into memory: borrowing GuestRAM, virtualCPUs: Int, hasPCI: Bool = false) {
    memory.write(BootRegisters.descriptorTable, at: GuestLayout.descriptorTable)
    memory.write(PageTables.encoded(at: GuestLayout.pageTables), at: GuestLayout.pageTables)
    memory.write(Array(commandLine.utf8) + [0], at: GuestLayout.commandLine)
    let tables = ACPITables(virtualCPUs: virtualCPUs, hasPCI: hasPCI)
    memory.write(tables.encoded, at: GuestLayout.acpi)
    memory.write(image.kernel, at: image.preferredAddress)
    if let initrdRange { memory.write(initrd, at: initrdRange.lowerBound) }
    let parameters = BootParameters(
      image: image, addressMap: AddressMap(memorySize: memory.size),
      commandLine: GuestLayout.commandLine, initrd: initrdRange)
    memory.write(parameters.page, at: GuestLayout.bootParameters)
  }
}

/// Why a guest cannot be put together.
public enum BootError: Error, Equatable, Sendable, CustomStringConvertible {
  case memoryTooSmall(bytes: UInt64, needed: UInt64)
  case commandLineTooLong(bytes: Int, limit: Int)

  public var description: String {
    switch self {
    case .memoryTooSmall(let bytes, let needed):
      "the guest's memory of \(MemorySize(bytes: bytes)) cannot hold kernel and initrd: "
        + "use --memory \(MemorySize(bytes: (needed + 0x3ff_ffff) & ~0x3ff_ffff)) or more"
    case .commandLineTooLong(let bytes, let limit):
      "the command line has \(bytes) bytes; this kernel takes \(limit)"
    }
  }
}
