// SPDX-License-Identifier: Apache-2.0
import Glibc
import HostileCalls

/// Asks a device of KVM's interface what it offers, and prints a line an answer: two devices can be
/// compared.
///
///     cap NUMBER ANSWER-OF-THE-DEVICE ANSWER-OF-A-VM
///     ioctl NAME ANSWER
///     state NAME VALUE
///
/// An ioctl's argument is 0, or a structure of zeros; its answer is what it returned, or -errno. State is
/// that of a vCPU and of a VM that nobody has touched yet.
@main
struct Survey {
  static func main() {
    guard CommandLine.arguments.count == 2 else {
      print("usage: survey DEVICE")
      exit(64)
    }
    let path = CommandLine.arguments[1]
    let device = open(path, O_RDWR | O_CLOEXEC)
    guard device >= 0 else {
      print("cannot open \(path): \(String(cString: strerror(errno)))")
      exit(1)
    }
    Capabilities(device: device).show()
    Requests(device: device).show()
    InitialState(device: device).show()
  }
}

/// A VM with what most clients give it, and its first vCPU.
struct Machine {
  let machine: Int32
  let processor: Int32

  init?(_ device: Int32, isComplete: Bool = true) {
    let descriptor = call(device, HOSTILE_CREATE_VM, 0)
    guard descriptor >= 0 else { return nil }
    if isComplete {
      var pit: [UInt64] = Array(repeating: 0, count: 8)
      _ = call(descriptor, HOSTILE_CREATE_IRQCHIP, 0)
      _ = pit.withUnsafeMutableBytes { call(descriptor, HOSTILE_CREATE_PIT2, address($0)) }
    }
    machine = descriptor
    processor = call(descriptor, HOSTILE_CREATE_VCPU, 0)
    guard processor >= 0 else {
      Glibc.close(descriptor)
      return nil
    }
  }

  func close() {
    Glibc.close(processor)
    Glibc.close(machine)
  }
}

/// ioctl(2) by its place in `hostile_number`.
func call(_ descriptor: Int32, _ which: Int, _ argument: UInt64) -> Int32 {
  hostile_ioctl(descriptor, hostile_number(Int32(which)), argument)
}

func address(_ bytes: UnsafeMutableRawBufferPointer) -> UInt64 {
  UInt64(UInt(bitPattern: bytes.baseAddress))
}
