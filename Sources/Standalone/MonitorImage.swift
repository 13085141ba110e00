// SPDX-License-Identifier: Apache-2.0
import Contract

/// The monitor's ELF file, loaded as the driver loads it: its segments in pages of their own.
struct MonitorImage {
  /// From APUS_IMAGE_BASE on.
  let pages: Block
  let entry: UInt64
  let header: apus_image_header
  private let permissions: [Permissions]

  /// PF_X, PF_W and PF_R of a program header.
  struct Permissions: OptionSet {
    let rawValue: UInt32
    static let execute = Permissions(rawValue: 1)
    static let write = Permissions(rawValue: 2)
    static let read = Permissions(rawValue: 4)
  }

  private struct Segment {
    let offset: UInt64, address: UInt64, fileSize: UInt64, memorySize: UInt64
    let permissions: Permissions

    /// Elf64_Phdr, if it is a PT_LOAD.
    init?(_ file: Block, at place: Int) {
      guard file.load(UInt32.self, at: place) == 1 else { return nil }
      permissions = Permissions(rawValue: file.load(at: place + 4))
      offset = file.load(at: place + 8)
      address = file.load(at: place + 16)
      fileSize = file.load(at: place + 32)
      memorySize = file.load(at: place + 40)
    }
  }

  /// The file lies at `address`. Nil if it is none of the monitor's.
  init?(at address: UInt64) {
    let file = Block(address: address, size: 1 << 20)
    guard address != 0, file.load(UInt32.self, at: 0) == 0x464c_457f else { return nil }
    let table = Int(file.load(UInt64.self, at: 32))
    let count = Int(file.load(UInt16.self, at: 56))
    var segments: [Segment] = []
    for index in 0..<count {
      if let segment = Segment(file, at: table + index * 56) { segments.append(segment) }
    }
    let base = UInt64(APUS_IMAGE_BASE)
    var end = base
    for segment in segments { end = max(end, segment.address + segment.memorySize) }
    let pageCount = Int((end - base + 4095) / 4096)
    guard pageCount > 0, pageCount <= 256 else { return nil }
    let pages = Memory.pages(pageCount)
    var permissions = Array(repeating: Permissions(rawValue: 0), count: pageCount)
    for segment in segments {
      let start = Int(segment.address - base)
      pages.copy(Int(segment.fileSize), from: file, at: Int(segment.offset), to: start)
      for page in start / 4096..<(start + Int(segment.memorySize) + 4095) / 4096 {
        permissions[page].formUnion(segment.permissions)
      }
    }
    self.pages = pages
    self.permissions = permissions
    entry = file.load(at: 24)
    header = pages.load(apus_image_header.self, at: 0)
    guard header.magic == APUS_IMAGE_MAGIC, header.abi_version == APUS_ABI_VERSION else {
      return nil
    }
  }

  func permissions(ofPage page: Int) -> Permissions { permissions[page] }
  var pageCount: Int { permissions.count }

  /// The offset in `pages` of a virtual address.
  func offset(of address: UInt64) -> Int { Int(address - UInt64(APUS_IMAGE_BASE)) }
}

extension MonitorImage {
  /// The one image of this run.
  @safe nonisolated(unsafe) static var loaded: MonitorImage?
}
