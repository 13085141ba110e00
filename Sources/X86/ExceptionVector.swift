// SPDX-License-Identifier: Apache-2.0

/// An exception's vector. SDM vol. 3, table 6-1.
public enum ExceptionVector: UInt8, Sendable {
  case divideError = 0
  case debug = 1
  case nonMaskableInterrupt = 2
  case breakpoint = 3
  case overflow = 4
  case boundRange = 5
  case invalidOpcode = 6
  case deviceNotAvailable = 7
  case doubleFault = 8
  case invalidTSS = 10
  case segmentNotPresent = 11
  case stackFault = 12
  case generalProtection = 13
  case pageFault = 14
  case floatingPoint = 16
  case alignmentCheck = 17
  case machineCheck = 18
  case simd = 19

  /// Whether the saved RIP is the instruction's, which may be executed again: RFLAGS.RF is then pushed
  /// as set. #DB can be either. SDM vol. 3, 6.5 and 18.3.1.1.
  public var isFault: Bool {
    switch self {
    case .debug, .nonMaskableInterrupt, .breakpoint, .overflow, .doubleFault, .machineCheck: false
    default: true
    }
  }

  /// Whether the processor pushes an error code.
  public var pushesErrorCode: Bool {
    switch self {
    case .doubleFault, .invalidTSS, .segmentNotPresent, .stackFault, .generalProtection,
      .pageFault, .alignmentCheck:
      true
    default: false
    }
  }
}
