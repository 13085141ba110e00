// SPDX-License-Identifier: Apache-2.0

/// A program of Debian's that speaks the KVM API, unmodified, for a host to run.
public enum HostClient: String, Sendable, CaseIterable, Comparable {
  /// The same QEMU that emulates the host.
  case qemu

  public static func < (one: HostClient, other: HostClient) -> Bool {
    one.rawValue < other.rawValue
  }

  /// The packages that it is from.
  private var packages: [String] { DebianSetup.emulator + DebianSetup.guestFirmware }

  private var program: String { "/usr/bin/qemu-system-x86_64" }

  /// Where the program looks for them, on the developer's machine and in the host.
  private var files: [String] {
    ["bios-256k", "bios-microvm", "vgabios-stdvga"].map { "/usr/share/seabios/\($0).bin" }
      + ["kvmvapic", "linuxboot_dma", "linuxboot", "pvh"].map { "/usr/share/qemu/\($0).bin" }
      + ["CODE", "VARS"].map { "/usr/share/OVMF/OVMF_\($0)_4M.fd" }
  }

  func add(to image: inout Initramfs) async throws {
    for file in files + [program] where !Files.exists(file) {
      throw LabError.notInstalled(packages: packages)
    }
    try await image.addProgram(program)
    for file in files { try image.add(file, at: String(file.dropFirst())) }
  }
}
