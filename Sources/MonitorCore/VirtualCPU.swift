// SPDX-License-Identifier: Apache-2.0
import Contract
import X86

/// A vCPU on the CPU that runs it: the vendor's control block, the CPU, and the pages that
/// are mapped for it. It holds no state itself; other files add what it does.
@safe public struct VirtualCPU<Machine: Vendor, Hardware: Processor> {
  public let vendor: Machine
  public let processor: Hardware
  let pages: VirtualCPUPages

  public init(vendor: Machine, processor: Hardware, pages: VirtualCPUPages) {
    self.vendor = vendor
    self.processor = processor
    unsafe self.pages = unsafe pages
  }

  /// struct apus_cpu: the mailbox.
  @inline(__always) public var cpu: apus_cpu {
    unsafeAddress { unsafe UnsafePointer(pages.cpu) }
    nonmutating unsafeMutableAddress { unsafe pages.cpu }
  }
  /// struct apus_vcpu: what the driver sees of this vCPU.
  @inline(__always) public var control: apus_vcpu {
    unsafeAddress { unsafe UnsafePointer(pages.control) }
    nonmutating unsafeMutableAddress { unsafe pages.control }
  }
  @inline(__always) public var state: VirtualCPUState {
    unsafeAddress { unsafe UnsafePointer(pages.state) }
    nonmutating unsafeMutableAddress { unsafe pages.state }
  }
  /// struct apus_vm: what the driver sees of the VM.
  @inline(__always) public var vm: apus_vm {
    unsafeAddress { unsafe UnsafePointer(pages.vm) }
    nonmutating unsafeMutableAddress { unsafe pages.vm }
  }
  /// Shared among the VM's vCPUs: only inside `withMachine`, but where said otherwise.
  @inline(__always) var machine: VirtualMachineState {
    unsafeAddress { unsafe UnsafePointer(pages.machine) }
    nonmutating unsafeMutableAddress { unsafe pages.machine }
  }
  /// The client's page. It can write it at any time: nothing read from it is trusted.
  @inline(__always) var run: kvm_run {
    unsafeAddress { unsafe UnsafePointer(pages.run) }
    nonmutating unsafeMutableAddress { unsafe pages.run }
  }

  /// Runs `body` with the VM's shared state to itself.
  @inline(__always)
  func withMachine<Result>(_ body: (inout VirtualMachineState) -> Result) -> Result {
    unsafe pages.lock.withLock(processor) { unsafe body(&pages.machine.pointee) }
  }

  var id: Int { Int(control.id & 15) }
  var cpuidTable: CPUIDTable { unsafe CPUIDTable(at: pages.cpuid, count: state.cpuidCount) }
  var tables: NestedTables<Hardware, Machine.Tables> {
    NestedTables(processor, root: machine.nestedRoot)
  }
}

/// Where the pages of a bound vCPU are mapped.
@unsafe public struct VirtualCPUPages: @unchecked Sendable {
  let cpu: UnsafeMutablePointer<apus_cpu>
  let control: UnsafeMutablePointer<apus_vcpu>
  let state: UnsafeMutablePointer<VirtualCPUState>
  let cpuid: UnsafeMutablePointer<kvm_cpuid_entry2>
  let vm: UnsafeMutablePointer<apus_vm>
  let lock: UnsafeMutablePointer<Spinlock>
  let machine: UnsafeMutablePointer<VirtualMachineState>
  let run: UnsafeMutablePointer<kvm_run>
  let portData: UnsafeMutableRawPointer
  let payload: UnsafeMutableRawPointer
  let extendedState: UnsafeMutableRawPointer
  let portBitmap: UnsafeMutableRawPointer
  let ring: UnsafeMutableRawPointer

  /// Each argument is the first byte of an area of the sizes in apus.h.
  public init(
    cpuArea: UnsafeMutableRawPointer, vcpuArea: UnsafeMutableRawPointer,
    vmArea: UnsafeMutableRawPointer
  ) {
    func page(_ area: UnsafeMutableRawPointer, _ number: UInt32) -> UnsafeMutableRawPointer {
      unsafe area + Int(number) * 4096
    }
    unsafe cpu = cpuArea.assumingMemoryBound(to: apus_cpu.self)
    unsafe control = page(vcpuArea, APUS_VCPU_PAGE_CONTROL).assumingMemoryBound(to: apus_vcpu.self)
    unsafe state = page(vcpuArea, APUS_VCPU_PAGE_PRIVATE)
      .assumingMemoryBound(to: VirtualCPUState.self)
    // The state has the first private page, the table the next three.
    unsafe cpuid = page(vcpuArea, APUS_VCPU_PAGE_PRIVATE + 1)
      .assumingMemoryBound(to: kvm_cpuid_entry2.self)
    unsafe vm = vmArea.assumingMemoryBound(to: apus_vm.self)
    unsafe lock = page(vmArea, APUS_VM_PAGE_PRIVATE).assumingMemoryBound(to: Spinlock.self)
    // Behind the lock's cache line.
    unsafe machine = (page(vmArea, APUS_VM_PAGE_PRIVATE) + 64)
      .assumingMemoryBound(to: VirtualMachineState.self)
    unsafe run = vcpuArea.assumingMemoryBound(to: kvm_run.self)
    unsafe portData = page(vcpuArea, APUS_VCPU_PAGE_PIO)
    unsafe payload = page(vcpuArea, APUS_VCPU_PAGE_PAYLOAD)
    unsafe extendedState = page(vcpuArea, APUS_VCPU_PAGE_XSAVE)
    unsafe portBitmap = page(vmArea, APUS_VM_PAGE_IO_BITMAP)
    unsafe ring = page(vmArea, APUS_VM_PAGE_RING)
  }
}
