// SPDX-License-Identifier: Apache-2.0
import Contract
import MonitorCore

/// Zeroed pages that are given back at the end of a test.
final class TestPages {
  let base: UnsafeMutableRawPointer
  private let count: Int
  /// Whose pages these are a part of.
  private let whole: TestPages?

  init(_ count: Int = 1) {
    self.count = count * 4096
    whole = nil
    base = .allocate(byteCount: self.count, alignment: 4096)
    fill(0)
  }
  /// Some pages of others.
  init(from first: Int, _ count: Int = 1, of whole: TestPages) {
    self.count = count * 4096
    self.whole = whole
    base = whole.base + first * 4096
  }
  deinit { if whole == nil { base.deallocate() } }

  /// A lent CPU's window, from its own area to the end of the VM's.
  static func window() -> TestPages { TestPages(64) }
  private static let vcpu = Int(APUS_WINDOW_VCPU - APUS_WINDOW_CPU)
  /// The pages of the window's vCPU.
  var vcpuPages: VirtualCPUPages { VirtualCPUPages(vcpuArea: base + Self.vcpu * 4096) }
  /// A page of the window's vCPU area, by its number in apus.h.
  func vcpuPage(_ number: UInt32, _ count: Int = 1) -> TestPages {
    TestPages(from: Self.vcpu + Int(number), count, of: self)
  }

  subscript<Value: BitwiseCopyable>(_ offset: Int, as type: Value.Type) -> Value {
    get { base.loadUnaligned(fromByteOffset: offset, as: type) }
    set { base.storeBytes(of: newValue, toByteOffset: offset, as: type) }
  }
  func fill(_ byte: UInt8) { base.initializeMemory(as: UInt8.self, repeating: byte, count: count) }
}
