// SPDX-License-Identifier: Apache-2.0

/// What every machine in Bochs has in common. The processor is the one on which seed 003 was
/// measured.
struct BochsConfiguration {
  static let processor = "corei7_ivy_bridge_3770k"
  /// Of each emulated CPU, which are also the TSC's ticks.
  static let instructionsPerSecond = 100_000_000

  var cpus: Int
  var emulatorLog: String
  /// Memory, firmware and devices.
  var machine: String
  /// Debian's Bochs is the one with a debugger, which waits for its first command.
  var debuggerCommands = "c\n"

  /// `clock: sync=none` and a fixed time make two runs the same.
  var text: String {
    """
    config_interface: textconfig
    display_library: rfb, options="timeout=0"
    cpu: model=\(Self.processor), count=\(cpus), ips=\(Self.instructionsPerSecond), \
    reset_on_triple_fault=0
    clock: sync=none, time0=1700000000
    speaker: enabled=0
    sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
    log: \(emulatorLog)
    panic: action=fatal
    error: action=report
    info: action=ignore
    \(machine)

    """
  }

  /// Writes it, and says how to run the machine for at most `seconds`.
  func command(configuration: String, debuggerCommands: String, seconds: Int) throws -> Command {
    try Files.write(text, to: configuration)
    try Files.write(self.debuggerCommands, to: debuggerCommands)
    return Command(
      "timeout",
      ["--kill-after=5", "\(seconds)", "bochs", "-q", "-f", configuration, "-rc", debuggerCommands])
  }
}
