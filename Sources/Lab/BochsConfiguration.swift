// SPDX-License-Identifier: Apache-2.0

/// The configuration of a bare machine in Bochs: no BIOS, no disk, no PCI. The processor is the
/// one on which seed 003 was measured. Addresses as in Sources/StandaloneEntry/rom.S.
struct BochsConfiguration {
  private let files: StandaloneMachine.Files

  init(_ files: StandaloneMachine.Files) { self.files = files }

  /// `clock: sync=none` and a fixed time make two runs the same. Bochs insists on an image for the
  /// VGA's ROM, and never runs it.
  var text: String {
    """
    config_interface: textconfig
    display_library: rfb, options="timeout=0"
    megs: \(StandaloneMachine.megabytes)
    cpu: model=corei7_ivy_bridge_3770k, count=\(StandaloneMachine.cpus), ips=100000000, \
    reset_on_triple_fault=0
    clock: sync=none, time0=1700000000
    romimage: file=\(files.rom), address=0xffff0000
    vgaromimage: file=\(files.rom)
    optramimage1: file=\(files.flatImage), address=0x200000
    optramimage2: file=\(files.monitorPiece(0)), address=0x3000000
    optramimage3: file=\(files.monitorPiece(1)), address=0x3020000
    optramimage4: file=\(files.commandLine), address=0x9000
    pci: enabled=0
    speaker: enabled=0
    sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
    com1: enabled=1, mode=file, dev=\(files.console)
    log: \(files.emulatorLog)
    panic: action=fatal
    error: action=report
    info: action=ignore

    """
  }
}
