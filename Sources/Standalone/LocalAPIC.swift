// SPDX-License-Identifier: Apache-2.0
import Entry
import StandaloneEntry
import X86

/// The local APIC of the stand-in's own CPU, in x2APIC mode, for what it sends.
enum LocalAPIC {
  static var doorbell: UInt8 { 0xe0 }

  static func enable() {
    let base = readMSR(MSR.apicBase.rawValue)
    writeMSR(MSR.apicBase.rawValue, base | APICBase.globalEnable)
    writeMSR(
      MSR.apicBase.rawValue, base | APICBase.globalEnable | APICBase.x2APICEnable)
    write(.spuriousVector, APICRegister.softwareEnable | 0xff)
    // Nothing comes from the machine's own PICs.
    writePort8(0x21, 0xff)
    writePort8(0xa1, 0xff)
    write(.lvtLINT0, APICRegister.lvtMasked)
  }

  static var id: UInt32 { UInt32(readMSR(APICRegister.id.msr.rawValue)) }

  private static func write(_ register: APICRegister, _ value: UInt32) {
    writeMSR(register.msr.rawValue, UInt64(value))
  }

  static func send(
    vector: UInt8 = 0, to destination: UInt32, mode: DeliveryMode = .fixed
  ) {
    let command = InterruptCommand(vector: vector, destination: destination, mode: mode)
    // INIT's level: assert. SDM vol. 3, 11.6.1.
    writeMSR(APICRegister.interruptCommand.msr.rawValue, command.rawValue | 1 << 14)
  }

  /// Lets in what waits: the doorbell.
  static func takeInterrupts() { openInterruptWindow() }
  static var doorbells: UInt64 { Block(address: doorbellCount, size: 8).word(at: 0) }

  /// What a lent CPU writes to its ICR to reach the stand-in.
  static var doorbellCommand: UInt64 {
    InterruptCommand(vector: doorbell, destination: id).rawValue | 1 << 14
  }
}
