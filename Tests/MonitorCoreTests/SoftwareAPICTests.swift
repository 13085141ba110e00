// SPDX-License-Identifier: Apache-2.0
import Testing
import X86

@testable import MonitorCore

/// Against the rules of SDM vol. 3, 11.8.3.1, 11.8.4 and 11.8.5, written down here once more.
@Suite("A local APIC in memory")
struct SoftwareAPICTests {
  static func set(_ vectors: [UInt8]) -> VectorSet {
    var set = VectorSet()
    for vector in vectors { set.insert(vector) }
    return set
  }

  @Test("The highest vector of a set is found in each of its words", arguments: UInt8(0)...255)
  func highest(_ vector: UInt8) {
    #expect(Self.set([0, vector]).highest == vector)
    #expect(VectorSet().highest == nil)
  }

  @Test("PPR is TPR, or the class of what is in service if that is higher")
  func processorPriority() {
    var apic = SoftwareAPIC()
    #expect(apic.processorPriority(0x35) == 0x35)
    apic.service = Self.set([0x31, 0x52])
    // TPR[7:4] >= ISRV[7:4]: TPR; else ISRV[7:4] and four zeros.
    #expect(apic.processorPriority(0x5f) == 0x5f)
    #expect(apic.processorPriority(0x60) == 0x60)
    #expect(apic.processorPriority(0x4f) == 0x50)
    #expect(apic.processorPriority(0) == 0x50)
  }

  @Test("A request is delivered if its class is above that of all in service")
  func next() {
    var apic = SoftwareAPIC()
    #expect(apic.next() == nil)
    apic.requests = Self.set([0x31, 0x3f, 0x52])
    #expect(apic.next() == 0x52)
    apic.acknowledge(0x52)
    #expect(apic.next() == nil)
    apic.requests.insert(0x5f)
    #expect(apic.next() == nil, "its own class")
    apic.requests.insert(0x60)
    #expect(apic.next() == 0x60)
  }

  @Test("EOI ends the highest in service, and only that")
  func endOfInterrupt() {
    var apic = SoftwareAPIC()
    #expect(apic.endOfInterrupt() == nil)
    apic.service = Self.set([0x31, 0x52])
    #expect(apic.endOfInterrupt() == 0x52)
    #expect(apic.endOfInterrupt() == 0x31)
    #expect(apic.endOfInterrupt() == nil)
  }

  @Test("A vector can be requested again while it is in service")
  func again() {
    var apic = SoftwareAPIC()
    apic.requests.insert(0x41)
    apic.acknowledge(0x41)
    apic.requests.insert(0x41)
    #expect(apic.next() == nil)
    #expect(apic.endOfInterrupt() == 0x41)
    #expect(apic.next() == 0x41)
  }

  @Test("What was not delivered after all is as it was before")
  func withdrawn() {
    var apic = SoftwareAPIC()
    apic.requests = Self.set([0x41])
    apic.acknowledge(0x41)
    apic.withdraw(0x41)
    #expect(apic.requests == Self.set([0x41]))
    #expect(apic.service.isEmpty)
  }

  /// Every order of requests, deliveries and EOIs, against a list that is sorted.
  @Test("Interrupts nest by priority class", arguments: 0..<200)
  func nesting(_ seed: Int) {
    var random = UInt64(seed) &* 0x9e37_79b9_7f4a_7c15 | 1
    func next(_ limit: UInt64) -> UInt64 {
      random ^= random << 13
      random ^= random >> 7
      random ^= random << 17
      return random % limit
    }
    var apic = SoftwareAPIC()
    var waiting: Swift.Set<UInt8> = []
    var stack: [UInt8] = []
    for _ in 0..<300 {
      switch next(3) {
      case 0:
        let vector = UInt8(16 + next(240))
        apic.requests.insert(vector)
        waiting.insert(vector)
      case 1:
        let best = waiting.max()
        let expected = best.flatMap { $0 >> 4 > (stack.last ?? 0) >> 4 ? $0 : nil }
        #expect(apic.next() == expected)
        if let expected {
          apic.acknowledge(expected)
          waiting.remove(expected)
          stack.append(expected)
        }
      default:
        #expect(apic.endOfInterrupt() == stack.popLast())
      }
    }
  }
}
