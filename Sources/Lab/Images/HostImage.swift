// SPDX-License-Identifier: Apache-2.0

/// Puts together what an emulated host boots from.
struct HostImage: Sendable {
  let project: Project
  let kernel: Kernel
  let guest: Kernel

  /// The initramfs with every part of Apus that has been built, and what a script needs: the
  /// script itself, run as /lab/script, files of the developer's machine by their path inside, and
  /// programs in addition to busybox, `apus` and cyclictest.
  func make(
    script: String, files: [String: String] = [:], programs: [String] = [],
    guestPrograms: [String] = [], clients: Set<HostClient> = []
  ) async throws -> [UInt8] {
    var image = try await Initramfs()
    image.write(HostScripts.start, at: "init", permissions: 0o755)
    image.write(HostScripts.functions, at: "lab/functions")
    image.write(HostScripts.run, at: "lab/run")
    image.write(script, at: "lab/script")
    for program in ["/usr/bin/cyclictest"] + programs { try await image.addProgram(program) }
    for client in clients.sorted() { try await client.add(to: &image) }
    for module in Self.modules
    where try kernel.hasModules([module]) {
      try addModules([module], to: &image)
    }
    try await addApus(to: &image)
    try image.add(guest.image, at: "lab/guest/vmlinuz")
    let initramfs = try await GuestImage.make(
      programs: guestPrograms, modules: try Self.guestModules.mapValues(guest.moduleFiles))
    image.add(bytes: initramfs, at: "lab/guest/initramfs")
    for kernel in SmallKernel.allCases {
      image.add(bytes: kernel.image, at: "lab/guest/\(kernel.rawValue)")
    }
    for (path, file) in files.sorted(by: { $0.key < $1.key }) {
      try image.add(
        file, at: path.hasPrefix("/") ? String(path.dropFirst()) : path, permissions: 0o755)
    }
    return image.finish()
  }

  /// Those that scripts may load, as far as the kernel has them.
  private static let modules = [
    "kvm-amd", "kvm-intel", "irqbypass", "vfio-pci", "vfio_iommu_type1", "loop", "tun", "vhost_net",
    "vhost_vsock",
  ]

  /// The guest's, by what they are for: its power button, virtio's devices, UEFI's variables, and
  /// what a PC of QEMU's has.
  private static let guestModules = [
    "modules": ["evdev", "button"],
    "virtio": [
      "virtio_pci", "virtio_mmio", "virtio_blk", "virtio_net", "virtio-rng",
      "vmw_vsock_virtio_transport",
    ],
    "uefi": ["efivarfs"],
    "devices": [
      "ata_piix", "sd_mod", "virtio_pci", "virtio-rng", "virtio_console", "virtio_balloon",
    ],
  ]

  private func addModules(_ names: [String], to image: inout Initramfs) throws {
    for name in names {
      for file in try kernel.moduleFiles([name]) {
        try image.add(file, at: "lib/modules/\(Self.fileName(file))")
      }
      image.write(try insertionOrder(of: [name]), at: "lab/modules/\(name)")
    }
  }

  /// A line for each module's file in the host.
  private func insertionOrder(of names: [String]) throws -> String {
    try kernel.moduleFiles(names).map { "/lib/modules/\(Self.fileName($0))\n" }.joined()
  }

  private func addApus(to image: inout Initramfs) async throws {
    let driver = project.driver(for: kernel.release)
    if Files.exists(driver) {
      try image.add(driver, at: "lib/modules/apus.ko")
      let needed = ["irqbypass"]
      let order = try kernel.hasModules(needed) ? insertionOrder(of: needed) : ""
      image.write(order + "/lib/modules/apus.ko\n", at: "lab/modules/apus")
    }
    if Files.exists(project.monitor) {
      try image.add(project.monitor, at: "lib/firmware/apus/monitor")
    }
    if Files.exists(project.apus) { try await image.addProgram(project.apus) }
  }

  private static func fileName(_ path: String) -> Substring {
    path.split(separator: "/").last ?? ""
  }
}
