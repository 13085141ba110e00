// SPDX-License-Identifier: Apache-2.0

/// A field of the VMCS: its encoding, which says its width, and the type of its value. SDM
/// vol. 3, 25.11.2 and appendix B. Natural-width fields have 64 bits here.
public struct VMCSField<Value: FixedWidthInteger & UnsignedInteger & Sendable>: Sendable {
  public let encoding: UInt32
  init(_ encoding: UInt32) { self.encoding = encoding }
}

/// This CPU's current virtual-machine control structure, field by field.
public struct VMCS<Instructions: VMXInstructions> {
  private let instructions: Instructions

  public init(_ instructions: Instructions) { self.instructions = instructions }

  @inline(__always)
  public subscript<Value>(_ field: VMCSField<Value>) -> Value {
    get { Value(truncatingIfNeeded: instructions.read(field.encoding)) }
    nonmutating set { instructions.write(field.encoding, UInt64(newValue)) }
  }
}

/// 16-bit fields. SDM vol. 3, B.1.
extension VMCSField<UInt16> {
  public static var virtualProcessorID: Self { Self(0x0000) }

  public static var hostES: Self { Self(0x0c00) }
  public static var hostCS: Self { Self(0x0c02) }
  public static var hostSS: Self { Self(0x0c04) }
  public static var hostDS: Self { Self(0x0c06) }
  public static var hostFS: Self { Self(0x0c08) }
  public static var hostGS: Self { Self(0x0c0a) }
  public static var hostTR: Self { Self(0x0c0c) }
}

/// 32-bit fields. SDM vol. 3, B.3.
extension VMCSField<UInt32> {
  public static var pinControls: Self { Self(0x4000) }
  public static var primaryControls: Self { Self(0x4002) }
  public static var exceptionBitmap: Self { Self(0x4004) }
  public static var pageFaultMask: Self { Self(0x4006) }
  public static var pageFaultMatch: Self { Self(0x4008) }
  public static var cr3TargetCount: Self { Self(0x400a) }
  public static var exitControls: Self { Self(0x400c) }
  public static var exitMSRStoreCount: Self { Self(0x400e) }
  public static var exitMSRLoadCount: Self { Self(0x4010) }
  public static var entryControls: Self { Self(0x4012) }
  public static var entryMSRLoadCount: Self { Self(0x4014) }
  public static var entryInterruption: Self { Self(0x4016) }
  public static var entryErrorCode: Self { Self(0x4018) }
  public static var entryInstructionLength: Self { Self(0x401a) }
  public static var taskPriorityThreshold: Self { Self(0x401c) }
  public static var secondaryControls: Self { Self(0x401e) }

  public static var instructionError: Self { Self(0x4400) }
  public static var exitReason: Self { Self(0x4402) }
  public static var exitInterruption: Self { Self(0x4404) }
  public static var exitErrorCode: Self { Self(0x4406) }
  public static var interruptedEvent: Self { Self(0x4408) }
  public static var interruptedErrorCode: Self { Self(0x440a) }
  public static var exitInstructionLength: Self { Self(0x440c) }
  public static var exitInstructionInformation: Self { Self(0x440e) }

  public static var gdtrLimit: Self { Self(0x4810) }
  public static var idtrLimit: Self { Self(0x4812) }
  public static var interruptibility: Self { Self(0x4824) }
  public static var activity: Self { Self(0x4826) }
  public static var systemEnterCS: Self { Self(0x482a) }
  public static var preemptionTimer: Self { Self(0x482e) }
  public static var hostSystemEnterCS: Self { Self(0x4c00) }
}

/// 64-bit fields. SDM vol. 3, B.2.
extension VMCSField<UInt64> {
  public static var portBitmapA: Self { Self(0x2000) }
  public static var portBitmapB: Self { Self(0x2002) }
  public static var msrBitmap: Self { Self(0x2004) }
  public static var tscOffset: Self { Self(0x2010) }
  public static var virtualAPICAddress: Self { Self(0x2012) }
  public static var eptPointer: Self { Self(0x201a) }
  public static var guestPhysicalAddress: Self { Self(0x2400) }
  public static var linkPointer: Self { Self(0x2800) }
  public static var debugControl: Self { Self(0x2802) }
  public static var pageAttributeTable: Self { Self(0x2804) }
  public static var efer: Self { Self(0x2806) }
  /// PDPTE0 to PDPTE3.
  public static func pageDirectoryPointer(_ index: Int) -> Self { Self(0x280a + UInt32(index) * 2) }
  public static var hostPageAttributeTable: Self { Self(0x2c00) }
  public static var hostEFER: Self { Self(0x2c02) }
}

/// Fields of natural width. SDM vol. 3, B.4.
extension VMCSField<UInt64> {
  public static var cr0Mask: Self { Self(0x6000) }
  public static var cr4Mask: Self { Self(0x6002) }
  public static var cr0Shadow: Self { Self(0x6004) }
  public static var cr4Shadow: Self { Self(0x6006) }
  public static var exitQualification: Self { Self(0x6400) }

  public static var cr0: Self { Self(0x6800) }
  public static var cr3: Self { Self(0x6802) }
  public static var cr4: Self { Self(0x6804) }
  public static var gdtrBase: Self { Self(0x6816) }
  public static var idtrBase: Self { Self(0x6818) }
  public static var dr7: Self { Self(0x681a) }
  public static var rsp: Self { Self(0x681c) }
  public static var rip: Self { Self(0x681e) }
  public static var rflags: Self { Self(0x6820) }
  public static var pendingDebugExceptions: Self { Self(0x6822) }
  public static var systemEnterESP: Self { Self(0x6824) }
  public static var systemEnterEIP: Self { Self(0x6826) }

  public static var hostCR0: Self { Self(0x6c00) }
  public static var hostCR3: Self { Self(0x6c02) }
  public static var hostCR4: Self { Self(0x6c04) }
  public static var hostFSBase: Self { Self(0x6c06) }
  public static var hostGSBase: Self { Self(0x6c08) }
  public static var hostTRBase: Self { Self(0x6c0a) }
  public static var hostGDTRBase: Self { Self(0x6c0c) }
  public static var hostIDTRBase: Self { Self(0x6c0e) }
  public static var hostSystemEnterESP: Self { Self(0x6c10) }
  public static var hostSystemEnterEIP: Self { Self(0x6c12) }
  public static var hostRSP: Self { Self(0x6c14) }
  public static var hostRIP: Self { Self(0x6c16) }
}
