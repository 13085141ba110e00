// SPDX-License-Identifier: Apache-2.0
import Contract
import X86

/// A vCPU on the CPU that runs it: a handle of one word on the pages that are mapped for it. All state
/// is behind that word, and other files add what a vCPU does.
@safe public struct VirtualCPU<Unit: VirtualizationUnit, Hardware: Processor> {
  public let pages: VirtualCPUPages

  public init(_ pages: VirtualCPUPages) { unsafe self.pages = unsafe pages }

  /// The control block of VT-x or SVM.
  @inline(__always) public var unit: Unit { unsafe Unit.of(pages) }
  /// The CPU that this code runs on.
  @inline(__always) public var processor: Hardware { unsafe Hardware.of(pages) }

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
  /// What the VM's vCPUs share: only inside `withMachine`, except where said otherwise.
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

  /// A general register by its number in instructions. RSP is the control block's.
  @inline(__always) subscript(register number: UInt8) -> UInt64 {
    get { number & 15 == 4 ? unit.stackPointer : state.registers[number] }
    nonmutating set {
      if number & 15 == 4 {
        unit.stackPointer = newValue
      } else {
        state.registers[number] = newValue
      }
    }
  }

  @inline(__always) var id: Int { Int(control.id & (APUS_VCPUS - 1)) }
  var cpuidTable: CPUIDTable {
    unsafe CPUIDTable(at: pages.cpuid, directory: pages.cpuidDirectory)
  }
  var tables: NestedTables<Hardware, Unit.Tables> {
    NestedTables(processor, root: machine.nestedRoot)
  }
}
