// SPDX-License-Identifier: Apache-2.0

/// A guest as its control socket sees it. Calls come from the socket's thread, and none waits for
/// the guest.
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

  func receive(_ input: ArraySlice<UInt8>)
  /// Whether so much input waits that more should not be read.
  var isConsoleFull: Bool { get }
}
