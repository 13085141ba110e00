// SPDX-License-Identifier: Apache-2.0

/// A guest as its control socket sees it. Calls come from the socket's thread, and none waits for
/// the guest longer than it takes to make it exit.
protocol ControlledGuest: AnyObject, Sendable {
  var consoleLog: ConsoleLog { get }
  var hypervisor: Hypervisor { get }
  var virtualCPUCount: Int { get }
  var uptime: Duration { get }
  func virtualCPUStatus() -> [GuestStatus.VirtualCPU]

  /// Whether the guest has asked to be told: without a driver for the button it will not notice.
  func pressPowerButton() -> Bool
  /// Ends the run as SIGTERM does.
  func endRun()
  /// Nil if the NMI is on its way, else why not.
  func sendNMI(virtualCPU: Int) -> String?
  /// Of all vCPUs. Nil if it is done, or will be as soon as the guest lets it; else why not.
  func setTimer(_ timer: TimerChoice) -> String?

  /// Every vCPU's trace is written from now on. Nil if so, else why not.
  func beginTrace() -> String?
  func endTrace()
  /// What was written since the last time.
  func drainTrace() -> [TraceBatch]

  func receive(_ input: ArraySlice<UInt8>)
  /// Whether so much input waits that more should not be read.
  var isConsoleFull: Bool { get }
}
