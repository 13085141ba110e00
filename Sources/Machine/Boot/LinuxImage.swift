// SPDX-License-Identifier: Apache-2.0

/// A bzImage: Linux's Documentation/arch/x86/boot.rst, "The Real-Mode Kernel Header".
public struct LinuxImage: Sendable {
  /// The whole file.
  let file: [UInt8]
  /// Boot protocol, 0x020c for 2.12.
  public let protocolVersion: UInt16
  /// The setup header as it goes into `boot_params`, from offset 0x1f1.
  let setupHeader: ArraySlice<UInt8>
  /// The protected-mode kernel.
  let kernel: ArraySlice<UInt8>
  /// Where the kernel prefers to be loaded, and what it needs there until it is unpacked.
  public let preferredAddress: UInt64
  public let initialSize: UInt64
  /// The highest address that a byte of the initial RAM disk may have.
  public let initrdMaximum: UInt64
  /// Bytes of command line, the terminating zero excluded.
  public let commandLineMaximum: Int

  /// Offsets in the file and in `boot_params` alike.
  enum Field {
    static let setupSectors = 0x1f1
    static let bootFlag = 0x1fe
    static let jump = 0x200
    static let magic = 0x202
    static let version = 0x206
    static let loadFlags = 0x211
    static let initrdMaximum = 0x22c
    static let commandLineSize = 0x238
    static let loadFlags64 = 0x236
    static let preferredAddress = 0x258
    static let initialSize = 0x260
    /// One past the last byte that every protocol from 2.12 on has.
    static let end = 0x268
  }

  public init(_ file: [UInt8]) throws(LinuxImageError) {
    guard file.count >= Field.end else { throw .tooShort(bytes: file.count) }
    guard file.number(at: Field.bootFlag, as: UInt16.self) == 0xaa55,
      file.number(at: Field.magic, as: UInt32.self) == 0x5372_6448  // "HdrS"
    else { throw .notLinux }
    protocolVersion = file.number(at: Field.version, as: UInt16.self)
    guard protocolVersion >= 0x020c else { throw .oldProtocol(version: protocolVersion) }
    guard file[Field.loadFlags] & 1 != 0 else { throw .notBigImage }
    guard file.number(at: Field.loadFlags64, as: UInt16.self) & 1 != 0 else { throw .not64Bit }

    // The header ends where the jump at its start leads.
    let headerEnd = Field.magic + Int(file[Field.jump + 1])
    guard headerEnd >= Field.end, headerEnd <= 0x290, headerEnd <= file.count else {
      throw .malformedHeader(end: headerEnd)
    }
    let sectors = file[Field.setupSectors] == 0 ? 4 : Int(file[Field.setupSectors])
    let setupSize = (sectors + 1) * 512
    // syssize: 16-byte units of protected-mode kernel, 32 bits wide since protocol 2.04.
    let kernelSize = Int(file.number(at: 0x1f4, as: UInt32.self)) * 16
    let needed = setupSize + kernelSize
    // Since protocol 2.08 a checksum may follow; the size itself is rounded up to 16 bytes.
    guard kernelSize > 0x200, file.count > needed - 16 else {
      throw .truncated(bytes: file.count, needed: needed)
    }
    self.file = file
    setupHeader = file[Field.setupSectors..<headerEnd]
    kernel = file[setupSize..<min(needed, file.count)]
    preferredAddress = file.number(at: Field.preferredAddress, as: UInt64.self)
    initialSize = UInt64(file.number(at: Field.initialSize, as: UInt32.self))
    guard preferredAddress >= GuestLayout.extended, preferredAddress < GuestLayout.hole,
      initialSize >= UInt64(kernel.count)
    else { throw .malformedHeader(end: headerEnd) }
    initrdMaximum = UInt64(file.number(at: Field.initrdMaximum, as: UInt32.self))
    commandLineMaximum = Int(file.number(at: Field.commandLineSize, as: UInt32.self))
  }

  /// The 64-bit entry point.
  public var entry: UInt64 { preferredAddress + 0x200 }
}

/// What is wrong with a kernel image.
public enum LinuxImageError: Error, Equatable, Sendable, CustomStringConvertible {
  case tooShort(bytes: Int)
  case notLinux
  case oldProtocol(version: UInt16)
  case notBigImage
  case not64Bit
  case malformedHeader(end: Int)
  case truncated(bytes: Int, needed: Int)

  public var description: String {
    switch self {
    case .tooShort(let bytes):
      "is \(bytes) bytes long, too short for a kernel image: copy it again"
    case .notLinux:
      "is not a Linux bzImage (no HdrS signature): name a file such as /boot/vmlinuz-VERSION"
    case .oldProtocol(let version):
      "speaks boot protocol \(version >> 8).\(version & 0xff); 2.12 (Linux 3.8) or later is needed"
    case .notBigImage:
      "is a zImage, loaded below 1 MiB: build a bzImage"
    case .not64Bit:
      "has no 64-bit entry point: use an x86-64 kernel"
    case .malformedHeader:
      "has a malformed setup header: copy it again"
    case .truncated(let bytes, let needed):
      "is truncated: \(bytes) bytes of \(needed): copy it again"
    }
  }
}
