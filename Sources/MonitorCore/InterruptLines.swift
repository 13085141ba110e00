// SPDX-License-Identifier: Apache-2.0
import Contract
import X86

/// Interrupt lines: from the driver's word of levels through PIC and I/O APIC to the vCPUs.
extension VirtualCPU {
  /// Takes over what the driver recorded.
  func updateLines() {
    guard vm.irqchip != 0 else { return }
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
        machine.setLine(line, levels & bit != 0, wiring)
      }
    }
    deliverLines()
  }

  /// Sends what the I/O APIC has to send, looks at the PICs' output and tells the driver how
  /// each line can be delivered from now on.
  func deliverLines() {
    while let delivery = withMachine({ $0.ioapic.nextDelivery() }) { deliver(delivery) }
    publishRoutes()
    externalChanged()
  }

  private func deliver(_ delivery: IOAPICDelivery) {
    let command = Self.command(delivery)
    switch delivery.mode {
    case .fixed, .lowestPriority:
      guard delivery.vector >= 16 else { return }
      forTargets(of: command, one: delivery.mode == .lowestPriority) { target in
        if delivery.trigger == .level {
          sendLevel(delivery.vector, to: target)
        } else {
          processor.send(InterruptCommand(vector: delivery.vector, destination: target.physical))
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

  private func publishRoutes() {
    let wiring = unsafe LineWiring(pages.vm)
    for line in 0..<24 {
      var route: UInt64 = 0
      let (pin, pic) = withMachine {
        (
          $0.ioapic.route(pin: wiring.pin(of: line)),
          !wiring.reachesPIC(line) || $0.pic.isMasked(line)
        )
      }
      switch pin {
      case .masked: if pic { route = APUS_ROUTE_MASKED_ }
      case .direct(let delivery):
        if pic, let target = firstTarget(of: Self.command(delivery)) {
          route =
            APUS_ROUTE_DIRECT_ | UInt64(target.physical) << 8 | UInt64(delivery.vector)
        }
      case .monitor: break
      }
      unsafe withUnsafeMutablePointer(to: &pages.vm.pointee.line_routes) {
        unsafe storeRelease(
          UnsafeMutableRawPointer($0).assumingMemoryBound(to: UInt64.self) + line, route)
      }
    }
  }

  /// The one target of a direct route; nil where there is none or more than one.
  private func firstTarget(of command: InterruptCommand) -> Target? {
    var found: Target? = nil
    var several = false
    forTargets(of: command, one: false) { target in
      if found != nil { several = true }
      found = target
    }
    return several ? nil : found
  }

  /// The PICs' output or who listens to it changed: vCPU 0 is the one that it is wired to.
  func externalChanged() {
    guard id != 0, let bootstrap = target(0) else { return }
    if withMachine({ $0.pic.requestsInterrupt }) { ask(bootstrap, .external) }
  }

  /// Injects what waits: an NMI, or an interrupt of the PICs if the guest takes one now;
  /// otherwise asks for an exit when it can.
  func deliverPending() {
    if state.nmiPending, vendor.injection == nil, vendor.acceptsNMI {
      state.nmiPending = false
      vendor.injection = Event(kind: .nonMaskable, vector: 2)
    }
    vendor.nmiWindowExiting = state.nmiPending
    guard id == 0, vm.irqchip != 0 else { return }
    guard state.apic.acceptsExternal, withMachine({ $0.pic.requestsInterrupt }) else {
      vendor.interruptWindowExiting = false
      return
    }
    if vendor.injection == nil, vendor.flags.contains(.interruptEnable), !vendor.interruptShadow {
      let vector = withMachine { $0.pic.acknowledge() }
      vendor.injection = Event(kind: .external, vector: vector)
    } else {
      vendor.interruptWindowExiting = true
    }
  }
}

extension VirtualMachineState {
  mutating func setLine(_ line: Int, _ level: Bool, _ wiring: LineWiring) {
    if wiring.reachesPIC(line) { pic.setLine(line, level) }
    ioapic.setLine(wiring.pin(of: line), level)
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
