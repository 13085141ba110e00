// SPDX-License-Identifier: Apache-2.0
import Contract
import X86

/// Interrupt lines: from the driver's word of levels through PIC and I/O APIC to the vCPUs.
extension VirtualCPU {
  /// Takes over what the driver recorded, and sends what follows from it.
  func updateLines() {
    guard vm.irqchip != 0 else { return }
    absorbLines()
    deliverLines()
  }

  /// Takes over what the driver recorded. Before a controller changes, too: an edge belongs to
  /// the masks under which it came. A level alone makes no edge: that of a line that the driver
  /// delivers itself may still be high. True if there were edges.
  @discardableResult
  func absorbLines() -> Bool {
    withMachine { machine in
      let edges = unsafe exchange(&pages.vm.pointee.line_edges, 0)
      let levels = unsafe loadAcquire(&pages.vm.pointee.line_levels)
      let wiring = unsafe LineWiring(pages.vm)
      for line in 0..<24 {
        let bit: UInt32 = 1 << UInt32(line)
        if edges & bit != 0 {
          machine.setLine(line, false, wiring)
          machine.setLine(line, true, wiring)
        }
        machine.holdLine(line, at: levels & bit != 0, wiring)
      }
      return edges != 0
    }
  }

  /// Sends what the I/O APIC has to send, looks at the PICs' output and tells the driver how
  /// each line can be delivered from now on.
  func deliverLines() {
    var left = Self.longestDelivery
    repeat {
      while left > 0, let delivery = withMachine({ $0.ioapic.nextDelivery() }) {
        deliver(delivery)
        left -= 1
      }
      publishRoutes()
      left -= 1
      // An edge that the driver recorded before it saw the new route: it reads the route again
      // after it has recorded one, and here the edges are read again after the routes.
    } while absorbLines() && left > 0
    externalChanged()
    if left <= 0 { ask(target(id), .lines) }
  }

  /// Steps after which other requests come first: a client that makes edges without end must not
  /// keep this CPU in root mode.
  private static var longestDelivery: Int { 100 }

  private func deliver(_ delivery: IOAPICDelivery) {
    let command = Self.command(delivery)
    switch delivery.mode {
    case .fixed, .lowestPriority:
      guard delivery.vector >= 16 else { return }
      forTargets(of: command, one: delivery.mode == .lowestPriority) { target in
        if delivery.trigger == .level {
          sendLevel(delivery.vector, to: target)
        } else {
          send(delivery.vector, to: target)
        }
      }
    case .nonMaskable: forTargets(of: command, one: false) { ask($0, .nonMaskableInterrupt) }
    case .initialise, .systemManagement, .externalInterrupt: break
    }
  }

  /// A vector whose EOI has to exit: the target itself sets that up before it takes it.
  private func sendLevel(_ vector: UInt8, to target: Target) {
    if target.id == id {
      takeLevel(vector)
    } else {
      withMachine { $0.levelVectors[target.id].insert(vector) }
      ask(target, .levelInterrupt)
    }
  }

  func takeLevel(_ vector: UInt8) {
    state.levelVectors.insert(vector)
    interceptEOI()
    processor.writeAPIC(.selfInterrupt, UInt32(vector))
  }

  /// The I/O APIC's message as a local APIC's command: 8-bit destinations.
  static func command(_ delivery: IOAPICDelivery) -> InterruptCommand {
    var raw = UInt64(delivery.vector)
    if delivery.destinationMode == .logical { raw |= 1 << 11 }
    return InterruptCommand(rawValue: raw | UInt64(delivery.destination) << 32)
  }

  /// Written under the lock, like what it follows from: no older route replaces a newer one.
  private func publishRoutes() {
    withMachine { machine in
      let wiring = unsafe LineWiring(pages.vm)
      for line in 0..<24 {
        let route = self.route(of: line, machine, wiring)
        unsafe withUnsafeMutablePointer(to: &pages.vm.pointee.line_routes) {
          unsafe storeRelease(
            UnsafeMutableRawPointer($0).assumingMemoryBound(to: UInt64.self) + line, route)
        }
      }
    }
  }

  private func route(
    of line: Int, _ machine: borrowing VirtualMachineState, _ wiring: LineWiring
  ) -> UInt64 {
    if wiring.reachesPIC(line), !machine.pic.isMasked(line) { return 0 }
    switch machine.ioapic.route(pin: wiring.pin(of: line)) {
    case .masked: return APUS_ROUTE_MASKED_
    case .monitor: return 0
    case .direct(let delivery):
      let targets = machine.targets(
        of: Self.command(delivery), from: state.apic.id, count: vm.vcpu_count)
      guard targets.nonzeroBitCount == 1,
        let physical = target(targets.trailingZeroBitCount).physical
      else { return 0 }
      return APUS_ROUTE_DIRECT_ | UInt64(physical) << 8 | UInt64(delivery.vector)
    }
  }

  /// The PICs' output or who listens to it changed: vCPU 0 is the one that it is wired to.
  func externalChanged() {
    guard id != 0 else { return }
    if withMachine({ $0.pic.requestsInterrupt }) { ask(target(0), .external) }
  }

  /// Whether an interrupt is to be injected: one that was put off, or the PICs'.
  private var externalWaits: Bool {
    if state.deferredInterrupt != nil { return true }
    return id == 0 && vm.irqchip != 0 && state.apic.acceptsExternal
      && withMachine { $0.pic.requestsInterrupt }
  }

  private func takeExternal() -> UInt8 {
    if let vector = state.deferredInterrupt {
      state.deferredInterrupt = nil
      return vector
    }
    return withMachine { $0.pic.acknowledge() }
  }

  /// Injects what waits: an NMI, or an interrupt if the guest takes one now; otherwise asks for
  /// an exit when it can.
  func deliverPending() {
    if state.nmiPending, unit.injection == nil, unit.acceptsNMI {
      state.nmiPending = false
      unit.injection = Event(kind: .nonMaskable, vector: 2)
    }
    unit.nmiWindowExiting = state.nmiPending
    guard externalWaits else {
      unit.interruptWindowExiting = false
      return
    }
    if unit.injection == nil, unit.flags.contains(.interruptEnable), !unit.interruptShadow {
      unit.injection = Event(kind: .external, vector: takeExternal())
    } else {
      unit.interruptWindowExiting = true
    }
  }
}

extension VirtualMachineState {
  mutating func setLine(_ line: Int, _ level: Bool, _ wiring: LineWiring) {
    if wiring.reachesPIC(line) { pic.setLine(line, level) }
    ioapic.setLine(wiring.pin(of: line), level)
  }
  mutating func holdLine(_ line: Int, at level: Bool, _ wiring: LineWiring) {
    if wiring.reachesPIC(line) { pic.holdLine(line, at: level) }
    ioapic.holdLine(wiring.pin(of: line), at: level)
  }
}

/// Where the lines lead: KVM_SET_GSI_ROUTING, as the driver wrote it down.
struct LineWiring {
  private let picLines: UInt32
  private let pins: InlineArray<24, UInt8>

  init(_ vm: UnsafePointer<apus_vm>) {
    picLines = unsafe vm.pointee.pic_lines
    pins = unsafe withUnsafeBytes(of: vm.pointee.line_pins) {
      unsafe $0.load(as: InlineArray<24, UInt8>.self)
    }
  }

  func reachesPIC(_ line: Int) -> Bool { line < 16 && picLines & 1 << UInt32(line) != 0 }
  /// The I/O APIC's pin; one that does not exist (APUS_NO_PIN) is ignored there.
  func pin(of line: Int) -> Int { Int(pins[line]) }
}
