// SPDX-License-Identifier: Apache-2.0
import Contract

/// Where the pages of a bound vCPU are mapped: one address, from which the areas of the vCPU, of the
/// CPU that runs it and of its VM lie at the distances that apus.h fixes for the monitor's window.
///
/// One word on purpose. The compiler copies a larger structure to the stack for each call of a
/// method on it, and an exit makes dozens of those calls.
@unsafe public struct VirtualCPUPages {
  /// The first byte of the vCPU area.
  private let base: UnsafeMutableRawPointer

  /// `vcpuArea` is the first byte of the vCPU area. The CPU area and the VM area are mapped at their
  /// places before and behind it.
  public init(vcpuArea: UnsafeMutableRawPointer) { unsafe base = vcpuArea }

  /// The distance from the vCPU area to the page `number` of the window, in bytes.
  @inline(__always)
  private func window(_ number: UInt32) -> UnsafeMutableRawPointer {
    unsafe base + (Int(number) - Int(APUS_WINDOW_VCPU)) * Int(APUS_PAGE_SIZE)
  }
  /// A page of the CPU area, by its number in apus.h.
  @inline(__always)
  public func cpuPage(_ number: UInt32) -> UnsafeMutableRawPointer {
    unsafe window(APUS_WINDOW_CPU + number)
  }
  /// A page of the vCPU area, by its number in apus.h.
  @inline(__always)
  public func vcpuPage(_ number: UInt32) -> UnsafeMutableRawPointer {
    unsafe window(APUS_WINDOW_VCPU + number)
  }
  /// A page of the VM area, by its number in apus.h.
  @inline(__always)
  public func vmPage(_ number: UInt32) -> UnsafeMutableRawPointer {
    unsafe window(APUS_WINDOW_VM + number)
  }

  /// The physical address of a page of the CPU area, as the driver told it.
  @inline(__always)
  public func physicalCPUPage(_ number: UInt32) -> UInt64 {
    unsafe cpu.pointee.area + UInt64(number) * UInt64(APUS_PAGE_SIZE)
  }
  /// The physical address of a page of the vCPU area, as the driver told it.
  @inline(__always)
  public func physicalVCPUPage(_ number: UInt32) -> UInt64 {
    unsafe control.pointee.area + UInt64(number) * UInt64(APUS_PAGE_SIZE)
  }

  @inline(__always) public var cpu: UnsafeMutablePointer<apus_cpu> {
    unsafe cpuPage(APUS_CPU_PAGE_CONTROL).assumingMemoryBound(to: apus_cpu.self)
  }
  @inline(__always) public var control: UnsafeMutablePointer<apus_vcpu> {
    unsafe vcpuPage(APUS_VCPU_PAGE_CONTROL).assumingMemoryBound(to: apus_vcpu.self)
  }
  @inline(__always) var run: UnsafeMutablePointer<kvm_run> {
    unsafe vcpuPage(APUS_VCPU_PAGE_RUN).assumingMemoryBound(to: kvm_run.self)
  }
  @inline(__always) var portData: UnsafeMutableRawPointer {
    unsafe vcpuPage(APUS_VCPU_PAGE_PIO)
  }
  @inline(__always) var payload: UnsafeMutableRawPointer {
    unsafe vcpuPage(APUS_VCPU_PAGE_PAYLOAD)
  }
  @inline(__always) var extendedState: UnsafeMutableRawPointer {
    unsafe vcpuPage(APUS_VCPU_PAGE_XSAVE)
  }
  @inline(__always) public var vm: UnsafeMutablePointer<apus_vm> {
    unsafe vmPage(APUS_VM_PAGE_CONTROL).assumingMemoryBound(to: apus_vm.self)
  }
  /// The first word of the VM's private pages, alone in its cache line.
  @inline(__always) public var lock: UnsafeMutablePointer<Spinlock> {
    unsafe vmPage(APUS_VM_PAGE_PRIVATE).assumingMemoryBound(to: Spinlock.self)
  }
  @inline(__always) var portBitmap: UnsafeMutableRawPointer {
    unsafe vmPage(APUS_VM_PAGE_IO_BITMAP)
  }
  /// Table 0 or 1 of `notifications_generation`.
  @inline(__always)
  func notifications(_ table: UInt32) -> UnsafeMutablePointer<apus_notification> {
    unsafe vmPage(APUS_VM_PAGE_NOTIFICATIONS + table * APUS_NOTIFICATION_PAGES)
      .assumingMemoryBound(to: apus_notification.self)
  }
  /// Two tables of APUS_SLOTS entries, which the driver writes in turn.
  @inline(__always) var publishedSlots: UnsafePointer<apus_slot> {
    unsafe UnsafePointer(vmPage(APUS_VM_PAGE_SLOTS).assumingMemoryBound(to: apus_slot.self))
  }
  /// What the driver's revocation `number` took away.
  @inline(__always)
  func revoked(_ number: UInt32) -> apus_revoked {
    let size = MemoryLayout<apus_revoked>.stride
    return unsafe withUnsafeMutableBytes(of: &vm.pointee.revoked) {
      unsafe $0.load(fromByteOffset: Int(number % APUS_REVOKED) * size, as: apus_revoked.self)
    }
  }
  /// struct apus_trace, mapped while `Attention.tracing` stands.
  @inline(__always) public var trace: UnsafeMutablePointer<apus_trace> {
    unsafe window(APUS_WINDOW_TRACE).assumingMemoryBound(to: apus_trace.self)
  }
  @inline(__always) var ring: UnsafeMutableRawPointer { unsafe vmPage(APUS_VM_PAGE_RING) }
}
