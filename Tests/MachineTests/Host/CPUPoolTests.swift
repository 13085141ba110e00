// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Machine

@Suite("The pool of CPUs")
struct CPUPoolTests {
  private func host(pool: String = "\n") throws -> HostDirectory {
    try HostDirectory([
      "/sys/devices/system/cpu/present": "0-3\n", "/sys/module/apus/parameters/pool": pool,
    ])
  }

  @Test("is what the driver's parameter says", arguments: [("2-3\n", [2, 3]), ("\n", [])])
  func reads(text: String, cpus: [Int]) throws {
    let host = try host(pool: text)
    #expect(try CPUPool(host.files).read().cpus == cpus)
  }

  @Test("is set by writing the parameter", arguments: [("1,3", "1,3\n"), ("2-3", "2-3\n")])
  func sets(list: String, written: String) throws {
    let host = try host(pool: "1-3\n")
    try CPUPool(host.files).set(#require(CPUList(list)))
    #expect(try CPUPool(host.files).read() == CPUList(list))
    #expect(try HostFiles.read(host.path + CPUPool.path) == Array(written.utf8))
  }

  @Test("is emptied by an empty list")
  func empties() throws {
    let host = try host(pool: "1-3\n")
    try CPUPool(host.files).set(CPUList([]))
    #expect(try CPUPool(host.files).read().cpus == [])
  }

  @Test("refuses CPU 0 and those that do not exist, and stays as it was")
  func refuses() throws {
    let host = try host(pool: "3\n")
    let pool = CPUPool(host.files)
    #expect(throws: PoolError.cpu0) { try pool.set(CPUList([0, 1])) }
    #expect(throws: PoolError.noSuchCPUs(CPUList([4, 5]), present: "0-3")) {
      try pool.set(CPUList([3, 4, 5]))
    }
    #expect(try pool.read().cpus == [3])
  }

  @Test("does not exist without the module")
  func noModule() throws {
    let host = try HostDirectory(["/sys/devices/system/cpu/present": "0-3\n"])
    #expect(throws: PoolError.noDriver) { try CPUPool(host.files).read() }
    #expect(throws: PoolError.noDriver) { try CPUPool(host.files).set(CPUList([3])) }
  }
}
