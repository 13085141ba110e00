// SPDX-License-Identifier: Apache-2.0

/// A field of the VMCB: its offset and the type of its value. APM vol. 2, appendix B.
public struct VMCBField<Value: BitwiseCopyable>: Sendable {
  let offset: Int
  init(_ offset: Int) { self.offset = offset }
}

/// A virtual machine control block: one page, at `base`. Safe to use because each field names
/// an offset inside the page.
@safe public struct VMCB: @unchecked Sendable {
  private let base: UnsafeMutableRawPointer

  /// The block at `base`, which must be page aligned and stay mapped.
  public init(at base: UnsafeMutableRawPointer) { unsafe self.base = base }

  @inline(__always)
  public subscript<Value>(_ field: VMCBField<Value>) -> Value {
    get { unsafe base.load(fromByteOffset: field.offset, as: Value.self) }
    nonmutating set {
      unsafe base.storeBytes(of: newValue, toByteOffset: field.offset, as: Value.self)
    }
  }
}

extension VMCBField<UInt8> {
  /// 0 nothing, 1 the whole TLB, 3 this ASID's entries.
  public static var tlbControl: Self { Self(0x5c) }
  public static var currentPrivilegeLevel: Self { Self(0x4cb) }
  /// The monitor's own, in the bytes that APM vol. 2, appendix B leaves to host software.
  static var hasGigabytePages: Self { Self(0x3e0) }
}

extension VMCBField<SVMDebugState> {
  static var debugState: Self { Self(0x3e2) }
}

extension VMCBField<GuestNMIState> {
  static var nmiState: Self { Self(0x3e1) }
}

extension VMCBField<UInt16> {
  static func selector(_ segment: Int) -> Self { Self(segment) }
  static func attributes(_ segment: Int) -> Self { Self(segment + 2) }
}

extension VMCBField<UInt32> {
  public static var controlRegisterIntercepts: Self { Self(0x00) }
  public static var debugRegisterIntercepts: Self { Self(0x04) }
  public static var exceptionIntercepts: Self { Self(0x08) }
  public static var intercepts1: Self { Self(0x0c) }
  public static var intercepts2: Self { Self(0x10) }
  public static var intercepts3: Self { Self(0x14) }
  public static var asid: Self { Self(0x58) }
  public static var cleanBits: Self { Self(0xc0) }
  static func limit(_ segment: Int) -> Self { Self(segment + 4) }
}

extension VMCBField<UInt64> {
  public static var portBitmap: Self { Self(0x40) }
  public static var msrBitmap: Self { Self(0x48) }
  public static var tscOffset: Self { Self(0x50) }
  public static var virtualInterrupt: Self { Self(0x60) }
  public static var interruptShadow: Self { Self(0x68) }
  public static var exitCode: Self { Self(0x70) }
  public static var exitInfo1: Self { Self(0x78) }
  public static var exitInfo2: Self { Self(0x80) }
  public static var exitInterruptInfo: Self { Self(0x88) }
  public static var nestedPaging: Self { Self(0x90) }
  public static var eventInjection: Self { Self(0xa8) }
  public static var nestedCR3: Self { Self(0xb0) }
  public static var nextRIP: Self { Self(0xc8) }

  /// The monitor's own: where the IRET of an NMI's handler is, and DR6 before a step of the monitor's.
  static var nmiReturn: Self { Self(0x3e8) }
  static var debugStatusBeforeStep: Self { Self(0x3f0) }

  static func base(_ segment: Int) -> Self { Self(segment + 8) }
  public static var efer: Self { Self(0x4d0) }
  public static var cr4: Self { Self(0x548) }
  public static var cr3: Self { Self(0x550) }
  public static var cr0: Self { Self(0x558) }
  public static var dr7: Self { Self(0x560) }
  public static var dr6: Self { Self(0x568) }
  public static var rflags: Self { Self(0x570) }
  public static var rip: Self { Self(0x578) }
  public static var rsp: Self { Self(0x5d8) }
  public static var rax: Self { Self(0x5f8) }
  public static var star: Self { Self(0x600) }
  public static var lstar: Self { Self(0x608) }
  public static var cstar: Self { Self(0x610) }
  public static var systemCallMask: Self { Self(0x618) }
  public static var kernelGSBase: Self { Self(0x620) }
  public static var systemEnterCS: Self { Self(0x628) }
  public static var systemEnterESP: Self { Self(0x630) }
  public static var systemEnterEIP: Self { Self(0x638) }
  public static var cr2: Self { Self(0x640) }
  public static var pageAttributeTable: Self { Self(0x668) }
  public static var debugControl: Self { Self(0x670) }
}
