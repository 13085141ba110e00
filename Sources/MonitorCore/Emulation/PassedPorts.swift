// SPDX-License-Identifier: Apache-2.0
import Contract

/// KVM_APUS_PASS_PORTS: I/O ports of the machine that the guest reaches without an exit.
extension VirtualCPU {
  func passPorts(_ ports: apus_ports) -> Int64 {
    let first = Int(ports.first)
    let end = first + Int(ports.count)
    guard ports.count > 0, end <= 0x10000 else { return -EINVAL_ }
    for port in first..<end
    where Self.isMachineControl(UInt16(port)) || localPort(UInt16(port)) != nil {
      return -EINVAL_
    }
    // Only the VM's lock keeps two vCPUs from writing one byte of the bitmap at a time.
    withMachine { _ in
      for port in first..<end {
        let byte = unsafe pages.portBitmap.load(fromByteOffset: port >> 3, as: UInt8.self)
        unsafe pages.portBitmap.storeBytes(
          of: byte & ~(1 << UInt8(port & 7)), toByteOffset: port >> 3, as: UInt8.self)
      }
    }
    return 0
  }

  /// Ports through which a guest could reset the machine, move its devices or mask its
  /// interrupts: DMA, PICs, PIT, keyboard controller, system control, PCI configuration, reset.
  private static func isMachineControl(_ port: UInt16) -> Bool {
    switch port {
    case 0x00...0x0f, 0x20...0x21, 0x40...0x43, 0x60...0x64, 0x70...0x73, 0x80...0x8f, 0x92,
      0xa0...0xa1, 0xb2...0xb3, 0xc0...0xdf, 0x4d0...0x4d1, 0xcf8...0xcff:
      true
    default: false
    }
  }
}
