// SPDX-License-Identifier: Apache-2.0

/// The part inside the host of a host's panic: a guest with a serial port of its own, then the end of
/// the kernel that started it.
enum PanicScript {
  /// The third serial port, which no other part of the lab uses.
  static let ports = "0x3e8-0x3ef"
  /// How long the guest has to go on.
  static let seconds = 30.0

  /// Nothing on the guest's way needs the host: its lines go to an early console, which waits for
  /// the port itself, and its clock and timer are those of its CPU.
  static let guestCommandLine =
    "console=tty0 earlycon=uart8250,io,0x3e8,115200n8 keep_bootcon 8250.nr_uarts=2 quiet "
    + "LAB_WORK=count"

  /// The crash kernel has a CPU and memory of its own. It must leave the guest's serial port alone:
  /// it knows no port but the first, and does not ask ACPI for more.
  private static let crashKernelCommandLine =
    "console=ttyS0,115200 quiet nr_cpus=1 reset_devices 8250.nr_uarts=1 pnpacpi=off "
    + "\(HostMachine.emulatedClockWords) LAB_WORK=wait"

  /// Ends the script: nothing behind it is reached. With a crash kernel, which takes over where
  /// the host panics, the host has to be booted with `crashkernel=` memory.
  static func text(cpu: Int, crashKernel: Bool = false) -> String {
    let load = """
      expect crash-kernel-loaded kexec -p /lab/guest/vmlinuz --initrd=/lab/guest/initramfs \\
        --append='\(crashKernelCommandLine)'
      expect crash-kernel-waits [ "$(cat /sys/kernel/kexec_crash_loaded)" = 1 ]

      """
    let run = """
      for device in /sys/bus/pnp/drivers/serial/*:*; do
        ! grep -q 'io 0x3e8' $device/resources ||
          basename $device > /sys/bus/pnp/drivers/serial/unbind
      done
      apus run --port \(ports) --cpu \(cpu) --memory 256 --kernel /lab/guest/vmlinuz \\
        --initrd /lab/guest/initramfs --append '\(guestCommandLine)' \\
        < /dev/null > /tmp/counting 2>&1 &
      client=$!
      counts() { grep -q 'guest: counts' /tmp/counting; }
      counts_or_ended() { counts || ! kill -0 $client 2> /dev/null; }
      within 100 counts_or_ended
      if counts; then
        pass guest-counts
        sleep 1
        step "echo c > /proc/sysrq-trigger: the host's kernel ends here"
        echo "done 0" >&3
        sleep 0.3
        echo c > /proc/sysrq-trigger
      fi
      fail guest-counts $(tail -n 1 /tmp/counting)

      """
    return crashKernel ? load + run : run
  }
}
