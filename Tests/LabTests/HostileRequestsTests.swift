// SPDX-License-Identifier: Apache-2.0
import Foundation
import Testing

@testable import Lab

@Suite("The requests that the hostile client sends")
struct HostileRequestsTests {
  /// What follows `case` in the driver and is no request.
  private static let others = [
    "KVM_CAP_", "KVM_IRQCHIP_", "KVM_IRQ_ROUTING_", "APUS_CPU_", "APUS_VENDOR_",
  ]

  /// Every request that the driver's C files tell apart.
  private static func requests(in project: Project) throws -> Set<String> {
    let driver = project.root + "/Driver"
    let files = try FileManager.default.subpathsOfDirectory(atPath: driver)
      .filter { $0.hasSuffix(".c") }
    let text = try files.map { try Files.readText(driver + "/" + $0) }.joined()
    return Set(text.matches(of: /case ((?:KVM|APUS)_[A-Z0-9_]+):/).map { String($0.1) })
      .filter { name in !others.contains { name.hasPrefix($0) } }
  }

  @Test("A request that the driver serves is attacked")
  func complete() throws {
    let project = try Project.current()
    let served = try Self.requests(in: project)
    #expect(served.count > 60)
    let list = try Files.readText(project.root + "/Sources/HostileCalls/requests.c")
    let attacked = Set(
      list.matches(of: /(?:NUMBER|POINTER|TABLE)\((\w+)\)/).map { String($0.1) })
    #expect(served.subtracting(attacked) == [])
  }
}
