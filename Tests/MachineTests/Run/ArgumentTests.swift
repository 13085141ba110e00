// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Machine

@Suite("A list of CPUs")
struct CPUListTests {
  static let lists: [(text: String, cpus: [Int])] = [
    ("3", [3]), ("0", [0]), ("2-3", [2, 3]), ("1,3", [1, 3]), ("1,4-6,8", [1, 4, 5, 6, 8]),
    ("5-5", [5]), ("3,1", [3, 1]), ("8191", [8191]),
  ]

  @Test("is read as Linux writes it", arguments: lists)
  func good(text: String, cpus: [Int]) { #expect(CPUList(text)?.cpus == cpus) }

  @Test(
    "is refused when malformed, descending, repeated or beyond any machine",
    arguments: [
      "", " ", "a", "-1", "1-", "-", "1-2-3", "3-1", "1,1", "1-3,2", ",", "1,", "+1", "0x1", "1 2",
      "8192", "0-99999999999999999999", "99999999999999999999", "１",
    ])
  func bad(text: String) { #expect(CPUList(text) == nil) }

  @Test("is written with ranges", arguments: ["3", "2-3", "1,4-6,8", "0-1,3"])
  func description(text: String) { #expect(CPUList(text)?.description == text) }
}

@Suite("An amount of memory")
struct MemorySizeTests {
  static let sizes: [(text: String, bytes: UInt64)] = [
    ("1", 1 << 20), ("256", 256 << 20), ("512M", 512 << 20), ("4k", 4096), ("2G", 2 << 30),
    ("1g", 1 << 30), ("1T", 1 << 40), ("17592186044415M", 17_592_186_044_415 << 20),
  ]

  @Test("is read in mebibytes or with a letter", arguments: sizes)
  func good(text: String, bytes: UInt64) { #expect(MemorySize(text)?.bytes == bytes) }

  @Test(
    "is refused when malformed, zero or beyond 64 bits",
    arguments: [
      "", "M", "0", "0G", "-1", "+1", "1.5G", "1 G", "1GB", "G1", "0x10", "17592186044416M",
      "99999999999999999999", "1ß", "٣",
    ])
  func bad(text: String) { #expect(MemorySize(text) == nil) }

  @Test("is written with the largest letter that fits evenly")
  func description() {
    #expect("\(MemorySize(bytes: 3 << 30))" == "3G")
    #expect("\(MemorySize(bytes: 1536 << 20))" == "1536M")
    #expect("\(MemorySize(bytes: 100 << 10))" == "100K")
    #expect("\(MemorySize(bytes: 1000))" == "1000 bytes")
  }
}
