// SPDX-License-Identifier: Apache-2.0
import Synchronization

/// Makes a guest reachable for `apus ps`, `stop`, `console` and `nmi` as long as it lives, and its
/// name taken: from before anything is taken from the host until all is given back.
public final class ControlServer: Sendable {
  private let service: ControlService
  private let thread: Mutex<Thread?>

  /// Claims the name.
  public init(
    _ name: GuestName, in directory: RuntimeDirectory, for configuration: GuestConfiguration
  ) throws(ControlError) {
    let service = ControlService(
      try ControlSocket(name, in: directory), configuration: configuration)
    self.service = service
    // No signal may end the process from this thread.
    EndSignals.block()
    do {
      let started = try Thread { service.serve() }
      thread = Mutex(started)
    } catch {
      throw .socket(path: directory.socketPath(of: name), error)
    }
  }

  deinit { close(nil) }

  func attach(_ guest: any ControlledGuest) { service.attach(guest) }

  /// The run is over: when this returns, nobody here uses the guest.
  func detach() { service.detach() }

  /// Tells whoever waits how the run ended, if it began, and gives the name back.
  public func close(_ outcome: RunOutcome?) {
    service.close(outcome)
    thread.withLock {
      $0?.stop()
      $0 = nil
    }
  }
}
