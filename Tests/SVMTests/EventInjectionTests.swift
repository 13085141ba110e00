// SPDX-License-Identifier: Apache-2.0
import MonitorCore
import SVM
import Testing

/// APM vol. 2, figure 15-5: vector 0 to 7, type 8 to 10, EV 11, V 31, error code 32 to 63.
@Suite("Events that the processor delivers")
struct EventInjectionTests {
  @Test(
    "Are encoded as EVENTINJ",
    arguments: [
      (Event(kind: .external, vector: 0x31), 0x8000_0031),
      (Event(kind: .nonMaskable, vector: 2), 0x8000_0202),
      (Event(kind: .exception, vector: 6), 0x8000_0306),
      (Event(kind: .exception, vector: 13, errorCode: 0), 0x8000_0b0d),
      (Event(kind: .exception, vector: 14, errorCode: 0x15), 0x15_8000_0b0e),
      (Event(kind: .software, vector: 0x80), 0x8000_0480),
    ] as [(Event, UInt64)])
  func encoding(event: Event, raw: UInt64) {
    #expect(EventInjection.encode(event) == raw)
    #expect(EventInjection.decode(raw) == event)
  }

  @Test("Are none where the valid bit is clear, whatever the others say")
  func invalid() {
    #expect(EventInjection.decode(0) == nil)
    #expect(EventInjection.decode(0xffff_ffff_7fff_ffff) == nil)
  }

  @Test("An error code counts only where it is said to be valid")
  func errorCode() {
    #expect(
      EventInjection.decode(0x15_8000_030e) == Event(kind: .exception, vector: 14))
  }
}
