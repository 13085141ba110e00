// SPDX-License-Identifier: Apache-2.0
import LinuxCalls
import SystemPackage
import Testing

@testable import Machine

@Suite("What the kernel says about a machine")
struct HostFilesTests {
  private static let files = [
    "/proc/meminfo": "MemTotal:        1048576 kB\nMemFree: 1 kB\nMemAvailable:     524288 kB\n",
    "/sys/devices/system/cpu/present": "0-3\n",
    "/sys/devices/system/cpu/online": "0-1,3\n",
    "/sys/devices/system/cpu/cpu3/topology/thread_siblings_list": "1,3\n",
  ]

  @Test("is its memory in bytes and its CPUs")
  func machine() throws {
    let directory = try HostDirectory(Self.files)
    let files = directory.files
    #expect(files.totalMemory == 1 << 30)
    #expect(files.availableMemory == 512 << 20)
    #expect(files.possibleCPUs == "0-3")
    #expect(files.presentCPUs == [0, 1, 2, 3])
    #expect(files.onlineCPUs == [0, 1, 3])
    #expect(files.siblings(of: 3) == [1])
    #expect(files.siblings(of: 0) == [])
  }

  @Test(
    "is how much memory this process may have pinned",
    arguments: [
      ("0000000000000000", "65536", 65536), ("0000000000004000", "65536", nil),
      ("0000000000000000", "unlimited", nil),
    ])
  func lockedMemory(capabilities: String, limit: String, expected: UInt64?) throws {
    let directory = try HostDirectory([
      "/proc/self/status": "Name:\tapus\nCapEff:\t\(capabilities)\n",
      "/proc/self/limits": "Max locked memory         \(limit)    \(limit)    bytes\n",
    ])
    #expect(directory.files.lockedMemoryLimit == expected)
  }

  @Test(
    "is which CPUs this process may take",
    arguments: [
      ("0000000000000000", "2-3", [2, 3]), ("0000000000000000", "", []),
      ("0000000000200000", "2-3", nil),
    ] as [(String, String, Set<Int>?)])
  func permitted(capabilities: String, pool: String, expected: Set<Int>?) throws {
    let directory = try HostDirectory([
      "/proc/self/status": "CapEff:\t\(capabilities)\n",
      "/sys/module/apus/parameters/pool": "\(pool)\n",
    ])
    #expect(directory.files.permittedCPUs == expected)
  }

  @Test("is nothing where there are no such files")
  func nothing() {
    let files = HostFiles(root: "/nonexistent")
    #expect(files.totalMemory == nil)
    #expect(files.onlineCPUs.isEmpty)
    #expect(!files.exists("/proc"))
  }

  @Test("A file is read whole, and refused if it is larger than allowed")
  func limit() throws {
    let text = String(repeating: "x", count: 200_000)
    let directory = try HostDirectory(["/file": text])
    let path = directory.path + "/file"
    #expect(try HostFiles.read(path).count == 200_000)
    #expect(try HostFiles.read(path, limit: 200_000).count == 200_000)
    #expect(throws: SetupError.fileTooLarge(path: path, limit: 199_999)) {
      try HostFiles.read(path, limit: 199_999)
    }
  }

  @Test("A file that cannot be read is named with the reason")
  func unreadable() {
    #expect(throws: SetupError.unreadable(path: "/nonexistent", .noSuchFileOrDirectory)) {
      try HostFiles.read("/nonexistent")
    }
    #expect(throws: SetupError.unreadable(path: "/", .isDirectory)) { try HostFiles.read("/") }
  }
}

@Suite("What a processor can do")
struct ProcessorFactsTests {
  private func facts(
    _ vendor: ProcessorFacts.Vendor, flags: Set<Substring> = [], vmxFlags: Set<Substring> = [],
    _ leaves: [UInt32: cpuid_registers]
  ) -> ProcessorFacts {
    ProcessorFacts(vendor: vendor, flags: flags, vmxFlags: vmxFlags) {
      leaves[$0] ?? cpuid_registers()
    }
  }

  @Test("is read from AMD's leaves: SVM, nested paging, x2APIC")
  func amd() {
    let facts = facts(
      .amd, flags: ["svm"],
      [
        1: cpuid_registers(eax: 0, ebx: 0, ecx: 0x0020_0000, edx: 0),
        0x8000_0001: cpuid_registers(eax: 0, ebx: 0, ecx: 0x4, edx: 0),
        0x8000_000a: cpuid_registers(eax: 1, ebx: 16, ecx: 0, edx: 0x1),
      ])
    #expect(facts.hasVirtualisation)
    #expect(facts.isVirtualisationInFlags)
    #expect(facts.hasNestedPaging)
    #expect(facts.hasX2APIC)
    #expect(!facts.isGuest)
  }

  @Test("is read from Intel's leaf 1 and Linux's flags")
  func intel() {
    let one = cpuid_registers(eax: 0, ebx: 0, ecx: 0x8000_0020, edx: 0)
    let facts = facts(.intel, vmxFlags: ["ept", "vpid"], [1: one])
    #expect(facts.hasVirtualisation)
    #expect(!facts.isVirtualisationInFlags)
    #expect(facts.hasNestedPaging)
    #expect(!facts.hasX2APIC)
    #expect(facts.isGuest)
  }

  @Test("takes vendor and flags from /proc/cpuinfo's first CPU")
  func cpuinfo() throws {
    let text =
      "processor\t: 0\nvendor_id\t: GenuineIntel\nflags\t\t: fpu vmx\nvmx flags\t: vnmi ept\n\n"
      + "processor\t: 1\nvendor_id\t: GenuineIntel\nflags\t\t: fpu\n"
    let directory = try HostDirectory(["/proc/cpuinfo": text])
    let facts = ProcessorFacts(directory.files)
    #expect(facts.vendor == .intel)
    #expect(facts.isVirtualisationInFlags)
    #expect(facts.hasNestedPaging)
  }
}
