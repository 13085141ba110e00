// SPDX-License-Identifier: Apache-2.0
import Contract
import Devices
import X86

/// Interrupt lines: from the driver's word of levels through the interrupt controllers to the vCPUs.
extension VirtualCPU {
  /// Takes over all that the driver may have changed: edges, levels, wiring, which vCPU has which
  /// CPU. Sends what follows, and tells the driver how each line reaches the guest now.
  func updateLines() {
    guard hasControllers else { return }
    changeControllers { controllers in
      unsafe controllers.rewire(pages.vm)
      return InterruptController.allLines
    }
  }

  /// Changes the interrupt controllers, and does what follows from it, in one round of the VM's lock
  /// if nothing has to be delivered. Edges and levels are taken over first: an edge belongs to the
  /// masks under which it came. `change` returns the lines that may reach the guest in another way.
  @inline(__always)
  func changeControllers(_ change: (inout InterruptController) -> LineSet) {
    let isSettled = withMachine { machine -> Bool in
      absorbLines(&machine)
      let lines = change(&machine.controllers)
      return settleControllers(&machine, lines)
    }
    if !isSettled { deliverLines() }
  }

  /// One of the PICs' ports. A poll acknowledges, so that a read can change them too.
  @inline(__always)
  func readPIC(_ port: UInt16) -> UInt8 {
    var value: UInt8 = 0
    let isSettled = withMachine { machine -> Bool in
      absorbLines(&machine)
      let polls = machine.controllers.pic.polls
      value = machine.controllers.pic.read(port: port)
      return !polls || settleControllers(&machine, 0)
    }
    if !isSettled { deliverLines() }
    return value
  }

  /// Tells the driver about lines and looks at the PICs' output. False if something has to be
  /// delivered, or an edge came that the driver recorded before it saw a new route.
  @inline(__always)
  private func settleControllers(_ machine: inout VirtualMachineState, _ lines: LineSet) -> Bool {
    if lines != 0 { publishRoutes(&machine, lines) }
    if machine.controllers.pic.requestsInterrupt { noticeExternal() }
    let edges = unsafe loadAcquire(&pages.vm.pointee.line_edges)
    return edges == 0 && !machine.controllers.ioapic.hasDelivery
  }

  /// Takes over what the driver recorded.
  @inline(__always)
  private func absorbLines(_ machine: inout VirtualMachineState) {
    var edges = unsafe loadAcquire(&pages.vm.pointee.line_edges)
    let levels = lineLevels
    if machine.controllers.isUpToDate(edges: edges, levels: levels) { return }
    if edges != 0 { edges = unsafe exchange(&pages.vm.pointee.line_edges, 0) }
    // Read after the edges: the driver raises a level before it records its edge.
    machine.controllers.take(edges: edges, levels: lineLevels)
  }

  /// The lines that the driver raised, for whichever reason.
  @inline(__always)
  private var lineLevels: LineSet {
    unsafe loadAcquire(&pages.vm.pointee.line_levels)
      | loadAcquire(&pages.vm.pointee.held_lines)
  }

  @inline(__always)
  var holdsLines: Bool { unsafe loadAcquire(&pages.vm.pointee.held_lines) != 0 }

  /// The guest has answered the interrupts of `lines`: those that an irqfd holds fall, before the
  /// controllers look whether one is still high. `ringForReleasedLines` follows.
  @inline(__always)
  func release(_ lines: LineSet, _ controllers: inout InterruptController) {
    let held = unsafe loadAcquire(&pages.vm.pointee.held_lines) & lines
    if held == 0 { return }
    _ = unsafe fetchAnd(&pages.vm.pointee.held_lines, ~held)
    controllers.take(edges: 0, levels: lineLevels)
    _ = unsafe fetchOr(&pages.vm.pointee.released_lines, held)
  }

  /// Has the driver tell who held them.
  @inline(__always)
  func ringForReleasedLines() {
    if unsafe loadAcquire(&pages.vm.pointee.released_lines) != 0 { ringForClient() }
  }

  /// Sends what the I/O APIC has to send, until nothing is left.
  @inline(never)
  private func deliverLines() {
    var left = Self.longestDelivery
    while true {
      let (delivery, isSettled) = withMachine { machine -> (IOAPICDelivery?, Bool) in
        absorbLines(&machine)
        let delivery = machine.controllers.ioapic.nextDelivery()
        return (delivery, settleControllers(&machine, 0))
      }
      if let delivery { deliver(delivery) } else if isSettled { return }
      left -= 1
      if left == 0 {
        ask(target(id), .lines)
        return
      }
    }
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
    state.triggerModes.insert(vector)
    interceptEOI()
    requestInterrupt(vector)
  }

  /// The I/O APIC's message as a local APIC's command: 8-bit destinations.
  static func command(_ delivery: IOAPICDelivery) -> InterruptCommand {
    var raw = UInt64(delivery.vector)
    if delivery.destinationMode == .logical { raw |= 1 << 11 }
    return InterruptCommand(rawValue: raw | UInt64(delivery.destination) << 32)
  }

  /// Under the lock, like what it follows from: no older route replaces a newer one.
  @inline(never)
  private func publishRoutes(_ machine: inout VirtualMachineState, _ lines: LineSet) {
    var left = lines & InterruptController.allLines
    unsafe withUnsafeMutablePointer(to: &pages.vm.pointee.line_routes) { routes in
      let routes = unsafe UnsafeMutableRawPointer(routes).assumingMemoryBound(to: UInt64.self)
      while left != 0 {
        let line = left.trailingZeroBitCount
        left &= left &- 1
        unsafe storeRelease(routes + line, route(of: line, &machine))
      }
    }
    // The driver records an edge and reads the route again; here the edges are read again after this.
    processor.orderStores()
  }

  private func route(of line: Int, _ machine: inout VirtualMachineState) -> UInt64 {
    switch machine.controllers.route(of: line) {
    case .masked: return APUS_ROUTE_MASKED_
    case .controllers: return 0
    case .direct(let delivery):
      let targets = machine.targets(
        of: Self.command(delivery), from: state.apic.id, count: vm.vcpu_count)
      guard targets.nonzeroBitCount == 1,
        let physical = target(targets.trailingZeroBitCount).physical
      else { return 0 }
      return APUS_ROUTE_DIRECT_ | UInt64(physical) << 8 | UInt64(delivery.vector)
    }
  }

  /// The PICs ask for an interrupt, or may reach the guest by now: vCPU 0 is the one that they are
  /// wired to.
  @inline(never)
  func noticeExternal() {
    if id == 0 { state.attention.insert(.events) } else { ask(target(0), .external) }
  }

  /// Whether an interrupt is to be injected: one that was put off, or the PICs'.
  var externalWaits: Bool {
    if state.deferredInterrupt != nil { return true }
    return id == 0 && hasControllers && state.apic.acceptsExternal
      && withMachine { $0.controllers.pic.requestsInterrupt }
  }

  func takeExternal() -> UInt8 {
    if let vector = state.deferredInterrupt {
      state.deferredInterrupt = nil
      return vector
    }
    return withMachine { $0.controllers.pic.acknowledge() }
  }
}
