// SPDX-License-Identifier: Apache-2.0
import Contract
import Emulator

/// INS and OUTS, whose memory operand may be a device: the emulator executes them.
extension VirtualCPU {
  func handleStringPort(_ access: PortAccess) -> Outcome {
    switch access.size {
    case 1, 2, 4: return emulate()
    // No processor says so.
    default: return failEmulation()
    }
  }

  /// Nil: the client's.
  func readLocalPort(_ access: DeviceAccess) -> UInt64? {
    let port = UInt16(truncatingIfNeeded: access.address)
    guard access.size == 1, localPort(port) != nil else { return nil }
    count(APUS_EXIT_IO)
    return UInt64(readPort(port))
  }

  /// False: the client's.
  func writeLocalPort(_ access: DeviceAccess) -> Bool {
    let port = UInt16(truncatingIfNeeded: access.address)
    guard access.size == 1, localPort(port) != nil else { return false }
    count(APUS_EXIT_IO)
    writePort(port, UInt8(truncatingIfNeeded: access.value))
    return true
  }
}
