// SPDX-License-Identifier: Apache-2.0
import Emulator
import Glibc
import RealProcessor
import X86

/// A vCPU whose linear addresses are those of the test itself, so that an instruction does the same to
/// the same bytes here and on the processor. Pages can be taken for a device's, or be absent.
final class TestMachine {
  let registers: UnsafeMutablePointer<UInt64>
  var vectors: [Wide] = Array(repeating: Wide(), count: 16)
  var instructionPointer: UInt64 = 0
  var flags = RFLAGS(rawValue: 2)
  var codeSize = CodeSize.bits64
  var privilegeLevel: UInt8 = 0
  var controlRegister0: CR0 = .protectionEnable
  var isLongModeActive = true
  var segments: [Segment] = Array(
    repeating: Segment(attributes: SegmentAttributes(rawValue: 0xc093), limit: .max), count: 8)
  var globalDescriptorTable = DescriptorTable(limit: 0, base: 0)

  /// Pages where a device is, whose registers are the bytes of memory there.
  var devices: Set<UInt64> = []
  /// Pages that can be read but not written, as of a read-only slot.
  var readOnly: Set<UInt64> = []
  /// The fault of an access to a page.
  var absent: [UInt64: GuestFault] = [:]
  /// The devices answer without the client.
  var devicesAreLocal = false
  var ports: [UInt64: UInt64] = [:]
  /// The page for the data of repeated INS and OUTS.
  var block: UnsafeMutablePointer<UInt8>?
  /// What was asked of the client, in order.
  var asked: [DeviceAccess] = []
  var statusWord: UInt16?

  init() {
    registers = .allocate(capacity: 16)
    registers.initialize(repeating: 0, count: 16)
  }

  deinit { registers.deallocate() }

  var context: TestContext { TestContext(machine: self) }

  /// Executes an instruction, and answers as the client until it is done.
  func run(_ bytes: [UInt8], faultAddress: GuestPhysical = Emulator.noAddress) -> EmulatorOutcome {
    var emulator = Emulator()
    var outcome = emulator.run(
      InstructionBytes(bytes), codeSize, faultAddress: faultAddress, on: context)
    while case .asksClient(let access) = outcome {
      asked.append(access)
      outcome = emulator.resume(answer: answer(access), on: context)
    }
    return outcome
  }

  func answer(_ access: DeviceAccess) -> UInt64 {
    guard access.space == .memory else {
      if access.isWrite { ports[access.address] = access.value }
      return ports[access.address] ?? 0
    }
    guard let bytes = UnsafeMutablePointer<UInt8>(bitPattern: UInt(access.address)) else {
      return 0
    }
    var value: UInt64 = 0
    for index in 0..<Int(access.size) {
      if access.isWrite {
        bytes[index] = UInt8(truncatingIfNeeded: access.value >> UInt64(index * 8))
      }
      value |= UInt64(bytes[index]) << UInt64(index * 8)
    }
    return value
  }
}

extension InstructionBytes {
  init(_ bytes: [UInt8]) {
    // What follows in memory must not matter.
    let all = bytes + Array(repeating: UInt8(0xcc), count: 16)
    func word(_ start: Int) -> UInt64 {
      (0..<8).reduce(0) { $0 | UInt64(all[start + $1]) << UInt64($1 * 8) }
    }
    self.init(low: word(0), high: word(8))
  }
}

struct TestContext: EmulatorContext {
  let machine: TestMachine

  var registers: GeneralRegisters { GeneralRegisters(machine.registers) }
  var instructionPointer: UInt64 { machine.instructionPointer }
  var flags: RFLAGS {
    get { machine.flags }
    nonmutating set { machine.flags = newValue }
  }
  var privilegeLevel: UInt8 { machine.privilegeLevel }
  var controlRegister0: CR0 { machine.controlRegister0 }
  var linearAddressBits: UInt8 { 48 }
  var isLongModeActive: Bool { machine.isLongModeActive }
  var globalDescriptorTable: DescriptorTable { machine.globalDescriptorTable }
  var hasLeadingZeroCount: Bool { true }
  var hasTrailingZeroCount: Bool { true }

  subscript(_ name: SegmentName) -> Segment {
    get { machine.segments[name.rawValue] }
    nonmutating set { machine.segments[name.rawValue] = newValue }
  }

  func translate(_ linear: Linear, _ access: Access) throws(GuestFault) -> GuestPhysical {
    if var fault = machine.absent[linear.rawValue >> 12] {
      fault.address = linear.rawValue
      throw fault
    }
    return GuestPhysical(linear.rawValue)
  }

  func memory(at physical: GuestPhysical, isWrite: Bool) -> UnsafeMutableRawPointer? {
    let page = physical.rawValue >> 12
    if machine.devices.contains(page) || isWrite && machine.readOnly.contains(page) { return nil }
    return UnsafeMutableRawPointer(bitPattern: UInt(physical.rawValue))
  }

  func readDevice(_ access: DeviceAccess) -> UInt64? {
    machine.devicesAreLocal ? machine.answer(access) : nil
  }

  func writeDevice(_ access: DeviceAccess) -> Bool {
    guard machine.devicesAreLocal else { return false }
    _ = machine.answer(access)
    return true
  }

  func blockData(port: UInt64, size: UInt8) -> UnsafeMutableRawPointer? {
    machine.block.map { UnsafeMutableRawPointer($0) }
  }

  func complete(_ completion: Completion, next: UInt64) { machine.instructionPointer = next }

  func vector(_ number: UInt8) -> Wide { machine.vectors[Int(number)] }
  func setVector(_ number: UInt8, _ value: Wide) { machine.vectors[Int(number)] = value }

  func loadStatusWord(_ value: UInt16) throws(GuestFault) { machine.statusWord = value }
}
