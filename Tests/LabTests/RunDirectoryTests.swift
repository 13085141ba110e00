// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import Lab

@Suite struct RunDirectoryTests {
  private let path = FileManager.default.temporaryDirectory.path + "/apus-run-\(UUID().uuidString)"

  @Test("A directory that is in use is refused, and found empty once it is free")
  func exclusive() throws {
    defer { try? Files.remove(path) }
    do {
      let first = try RunDirectory(path)
      try Files.write("log", to: first.path + "/console.log")
      #expect(throws: LabError.self) { _ = try RunDirectory(path) }
      #expect(Files.exists(path + "/console.log"))
    }
    let second = try RunDirectory(path)
    #expect(second.path == path)
    #expect(!Files.exists(path + "/console.log"))
  }

  @Test("Whoever does not care gets the next free one")
  func firstFree() throws {
    defer {
      try? Files.remove(path)
      try? Files.remove(path + "-2")
    }
    let first = try RunDirectory(firstFreeOf: path)
    let second = try RunDirectory(firstFreeOf: path)
    #expect(first.path == path)
    #expect(second.path == path + "-2")
  }
}
