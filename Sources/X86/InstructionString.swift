// SPDX-License-Identifier: Apache-2.0

/// How a string instruction steps through memory. SDM vol. 1, 7.3.9.
extension Instruction {
  public var isString: Bool {
    switch operation {
    case .moveString, .storeString, .loadString: true
    case .input, .output: memory != nil
    default: false
    }
  }

  /// How often it is still to be done: rCX where it is repeated.
  public func repetitions(rcx: UInt64) -> UInt64 {
    isRepeated ? rcx & Self.mask(addressSize) : 1
  }

  /// rSI or rDI after `count` elements.
  public func stepped(_ index: UInt64, by count: UInt64 = 1, flags: RFLAGS) -> UInt64 {
    let distance = count &* UInt64(size)
    let value = flags.contains(.direction) ? index &- distance : index &+ distance
    return RegisterOperand(0).merge(value, into: index, size: addressSize)
  }

  /// rCX after `count` elements.
  public func counted(rcx: UInt64, by count: UInt64 = 1) -> UInt64 {
    guard isRepeated else { return rcx }
    return RegisterOperand(0).merge(rcx &- count, into: rcx, size: addressSize)
  }
}
