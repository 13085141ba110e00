// SPDX-License-Identifier: Apache-2.0
import MonitorCore
import Testing
import VMX

/// SDM vol. 3, table 25-17.
@Suite("Events that the processor delivers")
struct EventInjectionTests {
  @Test(
    "Are encoded as VM-entry interruption information",
    arguments: [
      (Event(kind: .external, vector: 0x31), 0x8000_0031, 0),
      (Event(kind: .nonMaskable, vector: 2), 0x8000_0202, 0),
      (Event(kind: .exception, vector: 6), 0x8000_0306, 0),
      (Event(kind: .exception, vector: 13, errorCode: 0), 0x8000_0b0d, 0),
      (Event(kind: .exception, vector: 14, errorCode: 0x15), 0x8000_0b0e, 0x15),
    ] as [(Event, UInt32, UInt32)])
  func encoding(event: Event, information: UInt32, errorCode: UInt32) {
    let fields = EventInjection.encode(event, isProtected: true)
    #expect(fields.information == information)
    #expect(fields.errorCode == errorCode)
    #expect(EventInjection.decode(information, errorCode: errorCode) == event)
  }

  /// 27.2.1.3: an entry fails otherwise.
  @Test("An exception has an error code where the processor pushes one, but not in real mode")
  func errorCodes() {
    let fault = Event(kind: .exception, vector: 13, errorCode: 0x18)
    #expect(EventInjection.encode(fault, isProtected: false) == (0x8000_030d, 0))
    let without = Event(kind: .exception, vector: 13)
    #expect(EventInjection.encode(without, isProtected: true) == (0x8000_0b0d, 0))
    let useless = Event(kind: .exception, vector: 6, errorCode: 5)
    #expect(EventInjection.encode(useless, isProtected: true) == (0x8000_0306, 0))
  }

  @Test("Are none where the valid bit is clear, whatever the others say")
  func invalid() {
    #expect(EventInjection.decode(0x7fff_ffff, errorCode: 1) == nil)
  }

  @Test(
    "INT n, INT1, INT3 and INTO are software's: they are executed again",
    arguments: [0x8000_0480, 0x8000_0501, 0x8000_0603, 0x8000_0604] as [UInt32])
  func software(information: UInt32) {
    #expect(EventInjection.decode(information, errorCode: 0)?.kind == .software)
  }
}
