// SPDX-License-Identifier: Apache-2.0
import Contract
import Glibc
import MonitorCore

/// The part of a lent CPU's window in which its own area, its vCPU's and the VM's are mapped.
final class PretendedWindow {
  private let base: UnsafeMutableRawPointer
  private static let first = Int(APUS_WINDOW_CPU)
  private static let size = (Int(APUS_WINDOW_TRACE + APUS_TRACE_PAGES) - first) << 12

  /// The areas' physical addresses.
  init(_ memory: PretendedMemory, cpu: UInt64, vcpu: UInt64, vm: UInt64) {
    guard
      let base = mmap(nil, Self.size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      base != MAP_FAILED
    else { fatalError("no window for a test") }
    self.base = base
    func place(_ page: UInt32) -> UnsafeMutableRawPointer {
      base + (Int(page) - Self.first) << 12
    }
    memory.map(cpu, pages: 1 << Int(APUS_CPU_ORDER), at: place(APUS_WINDOW_CPU))
    memory.map(vcpu, pages: 1 << Int(APUS_VCPU_ORDER), at: place(APUS_WINDOW_VCPU))
    memory.map(vm, pages: 1 << Int(APUS_VM_ORDER), at: place(APUS_WINDOW_VM))
  }
  func mapTrace(_ physical: UInt64, of memory: PretendedMemory) {
    memory.map(
      physical, pages: Int(APUS_TRACE_PAGES), at: base + (Int(APUS_WINDOW_TRACE) - Self.first) << 12
    )
  }
  deinit { munmap(base, Self.size) }

  var pages: VirtualCPUPages {
    VirtualCPUPages(vcpuArea: base + (Int(APUS_WINDOW_VCPU) - Self.first) << 12)
  }

  /// Writes down which object pretends to be what a page is of; its owner keeps it alive.
  static func set(_ object: AnyObject, at page: UnsafeMutableRawPointer) {
    page.storeBytes(
      of: UInt(bitPattern: Unmanaged.passUnretained(object).toOpaque()), as: UInt.self)
  }
  static func object<Object: AnyObject>(at page: UnsafeMutableRawPointer) -> Object {
    guard let pointer = UnsafeRawPointer(bitPattern: page.load(as: UInt.self)) else {
      fatalError("nobody pretends to be what this page is of")
    }
    return Unmanaged<Object>.fromOpaque(pointer).takeUnretainedValue()
  }
}
