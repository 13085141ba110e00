// SPDX-License-Identifier: Apache-2.0
import Contract
import Devices
import X86

/// IN and OUT: the monitor's own ports, and KVM_EXIT_IO for the rest.
extension VirtualCPU {
  @inline(__always)
  func handlePort(_ access: PortAccess) -> Outcome {
    if access.isString { return handleStringPort(access) }
    skip(.port)
    if access.size == 1, let port = localPort(access.port) {
      count(APUS_EXIT_IO)
      if access.isInput {
        state.registers.rax = state.registers.rax & ~0xff | UInt64(read(port, access.port))
      } else {
        write(port, access.port, UInt8(truncatingIfNeeded: state.registers.rax))
      }
      return .resume
    }
    return passToClient(access)
  }

  @inline(never)
  private func passToClient(_ access: PortAccess) -> Outcome {
    if !access.isInput,
      sendsOn(.ports, UInt64(access.port), state.registers.rax, size: access.size)
    {
      return .resume
    }
    unsafe pages.portData.storeBytes(of: state.registers.rax, as: UInt64.self)
    askClient(access, count: 1)
    if access.isInput { state.pendingPort = access }
    return .client
  }

  /// KVM_EXIT_IO; what is written stands in the data page already.
  func askClient(_ access: PortAccess, count elements: UInt64) {
    count(APUS_EXIT_IO_CLIENT)
    run.exit_reason = UInt32(KVM_EXIT_IO)
    run.io.direction = UInt8(access.isInput ? KVM_EXIT_IO_IN : KVM_EXIT_IO_OUT)
    run.io.size = access.size
    run.io.port = access.port
    run.io.count = UInt32(elements)
    run.io.data_offset = UInt64(APUS_PAGE_SIZE * APUS_VCPU_PAGE_PIO)
  }

  /// Takes over the data of an input that the client has answered.
  @inline(never)
  func finishPendingPort() {
    guard let pending = state.pendingPort else { return }
    state.pendingPort = nil
    let data = unsafe pages.portData.load(as: UInt64.self)
    switch pending.size {
    case 1: state.registers.rax = state.registers.rax & ~0xff | data & 0xff
    case 2: state.registers.rax = state.registers.rax & ~0xffff | data & 0xffff
    default: state.registers.rax = data & 0xffff_ffff
    }
  }

  /// Which of the monitor's devices a port belongs to; nil: the client's.
  @inline(__always)
  func localPort(_ port: UInt16) -> LocalPort? {
    switch port {
    case 0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1: hasControllers ? .pic : nil
    case 0x40...0x43, 0x61: vm.pit != 0 ? .pit : nil
    default: nil
    }
  }

  /// For whoever comes here rarely.
  @inline(never)
  func readPort(_ port: UInt16) -> UInt8 { localPort(port).map { read($0, port) } ?? 0xff }
  @inline(never)
  func writePort(_ port: UInt16, _ value: UInt8) {
    if let device = localPort(port) { write(device, port, value) }
  }

  @inline(__always)
  func read(_ device: LocalPort, _ port: UInt16) -> UInt8 {
    switch device {
    case .pic: return readPIC(port)
    case .pit:
      let now = pitNow
      return withMachine { $0.pit.read(port: port, now: now) }
    }
  }

  @inline(__always)
  func write(_ device: LocalPort, _ port: UInt16, _ value: UInt8) {
    switch device {
    case .pic:
      if holdsLines { return writePICReleasing(port, value) }
      changeControllers { $0.writePIC(port: port, value) }
    case .pit:
      let now = pitNow
      withMachine { $0.pit.write(port: port, value, now: now) }
      publishTimer()
    }
  }
}

extension VirtualCPU {
  /// A write that may be the EOI for a line that an irqfd holds.
  @inline(never)
  private func writePICReleasing(_ port: UInt16, _ value: UInt8) {
    changeControllers { controllers in
      let served = controllers.pic.linesInService
      let lines = controllers.writePIC(port: port, value)
      release(served & ~controllers.pic.linesInService, &controllers)
      return lines
    }
    ringForReleasedLines()
  }
}

/// Devices behind ports that the monitor serves.
enum LocalPort { case pic, pit }
