// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Lab

@Suite struct ModuleDependenciesTests {
  let dependencies = ModuleDependencies(
    parsing: """
      kernel/virt/lib/irqbypass.ko:
      kernel/arch/x86/kvm/kvm.ko: kernel/virt/lib/irqbypass.ko
      kernel/arch/x86/kvm/kvm-amd.ko: kernel/drivers/crypto/ccp/ccp.ko.xz kernel/arch/x86/kvm/kvm.ko kernel/virt/lib/irqbypass.ko
      kernel/drivers/crypto/ccp/ccp.ko.xz:
      """)

  @Test("A module comes after everything that it needs")
  func order() throws {
    #expect(
      try dependencies.insertionOrder(of: ["kvm-amd"]) == [
        "kernel/virt/lib/irqbypass.ko", "kernel/arch/x86/kvm/kvm.ko",
        "kernel/drivers/crypto/ccp/ccp.ko.xz", "kernel/arch/x86/kvm/kvm-amd.ko",
      ])
  }

  @Test("What two modules need is inserted once")
  func shared() throws {
    let order = try dependencies.insertionOrder(of: ["kvm", "kvm_amd"])
    #expect(order.count == 4)
    #expect(Set(order).count == 4)
  }

  @Test("Dash and underscore name the same module, and compression does not matter")
  func names() throws {
    #expect(try dependencies.insertionOrder(of: ["kvm_amd"]).count == 4)
    #expect(try dependencies.insertionOrder(of: ["ccp"]) == ["kernel/drivers/crypto/ccp/ccp.ko.xz"])
  }

  @Test("What is built into the kernel has no file")
  func builtIn() throws {
    var dependencies = dependencies
    dependencies.addBuiltIn(parsing: "kernel/drivers/virtio/virtio_pci.ko\n")
    #expect(
      try dependencies.insertionOrder(of: ["virtio-pci", "irqbypass"]) == [
        "kernel/virt/lib/irqbypass.ko"
      ])
  }

  @Test("A module that the kernel lacks is an error that names it")
  func missing() {
    #expect(throws: LabError.noSuchModule("vfio")) {
      try dependencies.insertionOrder(of: ["vfio"])
    }
  }
}
