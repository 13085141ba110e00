// SPDX-License-Identifier: Apache-2.0
import Glibc
import LinuxCalls
import Synchronization

/// Answers on a guest's control socket, in a thread of its own.
final class ControlService: Sendable {
  private struct State {
    var guest: (any ControlledGuest)?
    var console: ConsoleLog?
    var phase = GuestStatus.State.starting
    /// What was asked for before there was a guest to do it.
    var isStopWanted = false
    var isEndWanted = false
    var isClosed = false
    var outcome: RunOutcome?
    /// Whether somebody has asked for the trace.
    var isTracing = false
    /// What was written before the guest went.
    var lastTrace: [TraceBatch] = []
  }

  private let socket: ControlSocket
  private let configuration: GuestConfiguration
  private let state = Mutex(State())
  /// Readable when the state has changed.
  private let event = EventDescriptor.required()

  private static let mostSessions = 32
  /// How long slow readers are waited for at the end.
  private static let patience = Duration.seconds(1)

  init(_ socket: ControlSocket, configuration: GuestConfiguration) {
    self.socket = socket
    self.configuration = configuration
  }

  func attach(_ guest: any ControlledGuest) {
    state.withLock {
      $0.guest = guest
      $0.console = guest.consoleLog
      $0.phase = .running
      if $0.isStopWanted { _ = guest.pressPowerButton() }
      if $0.isEndWanted { guest.endRun() }
    }
    event.signal()
  }

  func detach() {
    state.withLock {
      if $0.isTracing { $0.lastTrace = $0.guest?.drainTrace() ?? [] }
      $0.guest = nil
      $0.phase = .ending
    }
  }

  /// Makes `serve` end.
  func close(_ outcome: RunOutcome?) {
    state.withLock {
      $0.isClosed = true
      $0.outcome = outcome
    }
    event.signal()
  }

  /// The thread's whole life.
  func serve() {
    var sessions: [ControlSession] = []
    while !state.withLock({ $0.isClosed }) {
      wait(for: &sessions)
    }
    let (outcome, console) = state.withLock { ($0.outcome, $0.console) }
    showTrace(to: sessions)
    for session in sessions { session.finish(outcome, console: console) }
    let deadline = ContinuousClock.now + Self.patience
    while ContinuousClock.now < deadline {
      sessions.removeAll { $0.isOver }
      guard !sessions.isEmpty else { return }
      var sources = sessions.map { pollfd(fd: $0.descriptor, events: $0.events, revents: 0) }
      _ = poll(&sources, UInt(sources.count), 100)
      for (session, source) in zip(sessions, sources) where source.revents != 0 { session.flush() }
    }
  }

  /// Waits for something to do, and does it.
  private func wait(for sessions: inout [ControlSession]) {
    // The guest itself stays under the lock: `detach` promises that.
    let (isFull, console) = state.withLock { ($0.guest?.isConsoleFull ?? true, $0.console) }
    let readers = sessions.filter(\.isConsole)
    if let console, !readers.isEmpty {
      console.await()
      for reader in readers { reader.show(console) }
    }
    let isTracing = showTrace(to: sessions)
    var sources = [
      pollfd(fd: event.descriptor.rawValue, events: Int16(POLLIN), revents: 0),
      pollfd(fd: socket.descriptor, events: Int16(POLLIN), revents: 0),
      pollfd(fd: readers.isEmpty ? -1 : console?.event ?? -1, events: Int16(POLLIN), revents: 0),
    ]
    let first = sources.count
    sources += sessions.map { session in
      let events = session.isConsole && isFull ? session.events & ~Int16(POLLIN) : session.events
      return pollfd(fd: session.descriptor, events: events, revents: 0)
    }
    // Milliseconds: nothing tells when the guest has read.
    let patience: Int32 = isTracing ? Self.tracePatience : isFull && !readers.isEmpty ? 20 : -1
    guard poll(&sources, UInt(sources.count), patience) > 0 else { return }
    if sources[0].revents != 0 { event.clear() }
    for (session, source) in zip(sessions, sources[first...]) where source.revents != 0 {
      if source.revents & Int16(POLLOUT) != 0 { session.flush() }
      if source.revents & ~Int16(POLLOUT) != 0 { session.receive(answer) }
    }
    if sources[1].revents != 0 { admit(to: &sessions) }
    sessions.removeAll { $0.isOver }
  }

  /// Milliseconds between two looks at a trace: it holds 4092 events.
  private static let tracePatience: Int32 = 2

  /// Sends the newest events to whoever asked for them; true while there is such a one. The last that goes
  /// ends the trace.
  @discardableResult
  private func showTrace(to sessions: [ControlSession]) -> Bool {
    let readers = sessions.filter { $0.isTrace && !$0.isOver }
    let batches = state.withLock { state -> [TraceBatch] in
      guard state.isTracing else { return [] }
      if readers.isEmpty {
        state.isTracing = false
        state.guest?.endTrace()
      }
      defer { state.lastTrace = [] }
      return state.lastTrace + (state.guest?.drainTrace() ?? [])
    }
    for reader in readers { reader.show(batches) }
    return !readers.isEmpty
  }

  private func admit(to sessions: inout [ControlSession]) {
    let descriptor = acceptLocally(socket.descriptor)
    guard descriptor >= 0 else { return }
    var user = uid_t()
    var process = pid_t()
    // The directory keeps others out; this holds should its owner have opened it.
    guard localPeer(descriptor, user: &user, process: &process) == 0,
      user == 0 || user == geteuid(), sessions.count < Self.mostSessions
    else {
      Glibc.close(descriptor)
      return
    }
    sessions.append(ControlSession(descriptor))
  }

  /// What a session's input means for the guest.
  private func answer(_ input: ControlSession.Input) -> ControlAnswer? {
    state.withLock { state in
      switch input {
      case .console(let bytes):
        state.guest?.receive(bytes)
        return nil
      case .request(.status): return status(state)
      // It is written for another one already.
      case .request(.trace) where state.isTracing: return .done
      case .request(let request):
        guard let guest = state.guest else { return Self.answer(request, &state) }
        let answer = Self.answer(request, guest)
        if request == .trace, answer.ok { state.isTracing = true }
        return answer
      }
    }
  }

  /// Without a guest: before there is one, or after it.
  private static func answer(_ request: ControlRequest, _ state: inout State) -> ControlAnswer {
    switch request {
    case .stop: state.isStopWanted = true
    case .kill: state.isEndWanted = true
    case .status: break
    case .console, .nmi, .timer, .trace: return .refusal("it is \(state.phase.rawValue)")
    }
    return .done
  }

  private static func answer(_ request: ControlRequest, _ guest: any ControlledGuest)
    -> ControlAnswer
  {
    switch request {
    case .status: return .done
    case .console:
      let log = guest.consoleLog
      return ControlAnswer(ok: true, kept: min(log.end, UInt64(log.capacity)))
    case .trace: return guest.beginTrace().map(ControlAnswer.refusal) ?? .done
    case .stop: return ControlAnswer(ok: true, listening: guest.pressPowerButton())
    case .kill:
      guest.endRun()
      return .done
    case .timer(let timer): return guest.setTimer(timer).map(ControlAnswer.refusal) ?? .done
    case .nmi(let id):
      guard id < guest.virtualCPUCount else {
        return .refusal("it has no vCPU \(id): the last one is \(guest.virtualCPUCount - 1)")
      }
      return guest.sendNMI(virtualCPU: id).map(ControlAnswer.refusal) ?? .done
    }
  }

  private func status(_ state: State) -> ControlAnswer {
    let device = configuration.device
    let cpus = configuration.cpus
    let virtualCPUs =
      state.guest?.virtualCPUStatus()
      ?? (0..<max(cpus.count, 1)).map { .init(id: $0, cpu: cpus.isEmpty ? nil : cpus[$0]) }
    let status = GuestStatus(
      name: socket.name, pid: getpid(), state: state.phase, device: device,
      hypervisor: state.guest?.hypervisor ?? (device.hasSuffix("kvm") ? .kvm : .apus),
      memory: configuration.memorySize, uptime: state.guest?.uptime ?? .zero,
      virtualCPUs: virtualCPUs)
    return ControlAnswer(ok: true, status: status)
  }
}
