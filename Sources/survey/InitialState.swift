// SPDX-License-Identifier: Apache-2.0
import Glibc
import HostileCalls

/// What a client reads before it has set anything.
struct InitialState {
  let device: Int32

  func show() {
    guard let machine = Machine(device) else { return print("no VM") }
    show("regs", words(machine.processor, SURVEY_GET_REGS))
    show("sregs", words(machine.processor, HOSTILE_GET_SREGS))
    show("debugregs", words(machine.processor, SURVEY_GET_DEBUGREGS))
    show("events", words(machine.processor, SURVEY_GET_EVENTS))
    show("mp_state", words(machine.processor, HOSTILE_GET_MP_STATE))
    show("xcrs", words(machine.processor, SURVEY_GET_XCRS))
    show("fpu", words(machine.processor, SURVEY_GET_FPU))
    show("lapic", words(machine.processor, SURVEY_GET_LAPIC))
    for (chip, name) in ["pic-master", "pic-slave", "ioapic"].enumerated() {
      show(name, words(machine.machine, HOSTILE_GET_IRQCHIP, first: UInt32(chip)))
    }
    show("pit2", words(machine.machine, SURVEY_GET_PIT2))
    showMSRs(machine)
    machine.close()
  }

  /// The structure that a request fills in, in words of 32 bits; nil if it fails.
  private func words(_ descriptor: Int32, _ which: Int, first: UInt32 = 0) -> [UInt32]? {
    let size = Int(hostile_number(Int32(which)) >> 16 & 0x3fff)
    var bytes = [UInt32](repeating: 0, count: (size + 3) / 4)
    bytes[0] = first
    let answer = bytes.withUnsafeMutableBytes { call(descriptor, which, address($0)) }
    return answer < 0 ? nil : bytes
  }

  private func show(_ name: String, _ words: [UInt32]?) {
    guard let words else { return print("state \(name) refused") }
    for (index, word) in words.enumerated() where word != 0 {
      print("state \(name)+0x\(String(index * 4, radix: 16)) 0x\(String(word, radix: 16))")
    }
  }

  /// struct kvm_msr_list, and each of its MSRs by itself in a struct kvm_msrs.
  private func showMSRs(_ machine: Machine) {
    var list = [UInt32](repeating: 0, count: 1024)
    list[0] = 1023
    let answer = list.withUnsafeMutableBytes { call(device, SURVEY_MSR_LIST, address($0)) }
    guard answer >= 0 else { return print("state msrs refused") }
    for msr in list[1...Int(min(list[0], 1023))].sorted() {
      var entry: [UInt64] = [1, UInt64(msr), 0]
      let read = entry.withUnsafeMutableBytes {
        call(machine.processor, SURVEY_GET_MSRS, address($0))
      }
      let value = read == 1 ? "0x\(String(entry[2], radix: 16))" : "refused"
      print("state msr-0x\(String(msr, radix: 16)) \(value)")
    }
  }
}
