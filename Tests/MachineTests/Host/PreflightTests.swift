// SPDX-License-Identifier: Apache-2.0
import Contract
import Testing

@testable import Machine

@Suite("Before the run")
struct PreflightTests {
  private let directory: HostDirectory

  init() throws {
    directory = try HostDirectory([
      "/proc/meminfo": "MemTotal: 1048576 kB\nMemAvailable: 524288 kB\n",
      "/sys/devices/system/cpu/present": "0-3\n",
      "/sys/devices/system/cpu/online": "0-2\n",
    ])
  }

  private func driver(
    uses: [UInt8] = [0, 0, 0, 1], pool: [UInt8] = [], flags: UInt32 = 0
  ) -> DriverState {
    var host = apus_host()
    host.cpu_count = UInt32(uses.count)
    host.flags = flags
    withUnsafeMutableBytes(of: &host.use) { $0.copyBytes(from: uses) }
    withUnsafeMutableBytes(of: &host.marks) { $0.copyBytes(from: pool) }
    return DriverState(host)
  }

  @Test("memory beyond the machine's, or beyond what is free, is refused")
  func memory() {
    let files = directory.files
    #expect(throws: SetupError.memoryExceedsMachine(requested: 2 << 30, total: 1 << 30)) {
      try Preflight.check(memory: 2 << 30, of: files)
    }
    #expect(throws: SetupError.memoryUnavailable(requested: 512 << 20, available: 512 << 20)) {
      try Preflight.check(memory: 512 << 20, of: files)
    }
    #expect(throws: Never.self) { try Preflight.check(memory: 480 << 20, of: files) }
    #expect(throws: SetupError.memoryNotPages(bytes: 4097)) {
      try Preflight.check(memory: 4097, of: files)
    }
    #expect(throws: SetupError.memoryExceedsMachine(requested: 1 << 63, total: 1 << 30)) {
      try Preflight.check(memory: 1 << 63, of: files)
    }
  }

  @Test("a thread's CPU must exist and be online; CPU 0 will do")
  func pinned() {
    let files = directory.files
    #expect(throws: Never.self) { try Preflight.check(cpus: [0, 2], of: files) }
    #expect(throws: SetupError.noSuchCPU(4, possible: "0-3")) {
      try Preflight.check(cpus: [1, 4], of: files)
    }
    #expect(throws: SetupError.cpuOffline(3)) { try Preflight.check(cpus: [3], of: files) }
  }

  @Test("a lent CPU must exist, not be CPU 0, not be lent and not be offline")
  func lent() {
    let files = directory.files
    let state = driver(uses: [0, 0, 2, 1])
    #expect(throws: Never.self) { try Preflight.check(cpus: [1], lentBy: state, of: files) }
    #expect(throws: SetupError.cpuKept(0)) {
      try Preflight.check(cpus: [1, 0], lentBy: state, of: files)
    }
    #expect(throws: SetupError.cpuLent(2)) {
      try Preflight.check(cpus: [2], lentBy: state, of: files)
    }
    #expect(throws: SetupError.cpuOffline(3)) {
      try Preflight.check(cpus: [3], lentBy: state, of: files)
    }
    #expect(throws: SetupError.noSuchCPU(9, possible: "0-3")) {
      try Preflight.check(cpus: [9], lentBy: state, of: files)
    }
  }

  @Test("a lent CPU is known although Linux has it no longer")
  func absent() throws {
    let directory = try HostDirectory(["/sys/devices/system/cpu/present": "0-2\n"])
    let files = directory.files
    let state = driver(uses: [0, 0, 0, 2])
    #expect(throws: SetupError.cpuLent(3)) {
      try Preflight.check(cpus: [3], lentBy: state, of: files)
    }
    #expect(throws: SetupError.noSuchCPU(4, possible: "0-3")) {
      try Preflight.check(cpus: [4], lentBy: state, of: files)
    }
  }

  @Test("without a CPU named, the pool must have a free one")
  func pool() {
    let files = directory.files
    #expect(throws: SetupError.noCPU) {
      try Preflight.check(cpus: [], lentBy: driver(), of: files)
    }
    #expect(throws: SetupError.noCPU) {
      try Preflight.check(
        cpus: [], lentBy: driver(uses: [0, 0, 2, 0], pool: [0, 0, 1]), of: files)
    }
    #expect(throws: Never.self) {
      try Preflight.check(cpus: [], lentBy: driver(pool: [0, 1]), of: files)
    }
  }

  @Test("a driver without monitor or virtualisation says so first")
  func driverTrouble() {
    let files = directory.files
    #expect(throws: SetupError.monitorMissing) {
      try Preflight.check(cpus: [1], lentBy: driver(flags: 1), of: files)
    }
    #expect(throws: SetupError.firmwareOff) {
      try Preflight.check(cpus: [1], lentBy: driver(flags: 2), of: files)
    }
  }

  @Test("what was asked for wrongly is told apart from what the host lacks")
  func fault() {
    let usage: [SetupError] = [
      .cpuLent(1), .cpuKept(0), .noSuchCPU(9, possible: ""), .memoryNotPages(bytes: 1),
      .kernel(path: "k", .notLinux), .fileTooLarge(path: "i", limit: 1),
    ]
    for error in usage { #expect(error.isUsage, "\(error)") }
    let host: [SetupError] = [
      .noDevice(path: "/dev/apus"), .noPermission(path: "/dev/apus"), .monitorMissing, .noCPU,
    ]
    for error in host { #expect(!error.isUsage, "\(error)") }
  }
}
