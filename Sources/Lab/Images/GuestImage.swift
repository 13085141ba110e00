// SPDX-License-Identifier: Apache-2.0
import Figures

/// The guest's initramfs: busybox, cyclictest and a script that does what LAB_WORK asks for.
enum GuestImage {
  /// `programs` are added to busybox and cyclictest. `modules` are the files of kernel modules, in
  /// directories by what they are for: see `HostImage`.
  static func make(
    programs: [String] = [], modules: [String: [String]] = [:]
  ) async throws -> [UInt8] {
    var image = try await Initramfs()
    image.write(start, at: "init", permissions: 0o755)
    for (directory, files) in modules.sorted(by: { $0.key < $1.key }) {
      try add(files, as: directory, to: &image)
    }
    for work in GuestSMPWork.scripts + GuestVirtioWork.scripts
      + GuestClientDevices.scripts + GuestPCWork.scripts + [GuestDeviceWork.script]
    {
      image.write(work.text, at: "lab/\(work.name)")
    }
    for program in ["/usr/bin/cyclictest"] + programs { try await image.addProgram(program) }
    return image.finish()
  }

  /// In the order of their insertion, which the file `order` names.
  private static func add(
    _ modules: [String], as directory: String, to image: inout Initramfs
  ) throws {
    var order = ""
    for (index, module) in modules.enumerated() {
      try image.add(module, at: "\(directory)/\(index).ko")
      order += "/\(directory)/\(index).ko\n"
    }
    image.write(order, at: "\(directory)/order")
  }

  /// /init. The kernel hands `LAB_...=...` words of its command line over as environment.
  ///
  /// The second serial port is the report channel of the VMM that runs the guest: `mark` lines
  /// are where it notes its exit counters; ticks are the local timer's interrupts so far.
  static let start = """
    #!/bin/sh
    export PATH=/bin
    mount -t proc proc /proc
    mount -t sysfs sys /sys
    mount -t devtmpfs dev /dev
    mkdir -p /dev/shm /tmp
    stty -F /dev/ttyS1 raw -echo 2>/dev/null
    exec 3>/dev/ttyS1
    ticks() {
      total=0
      while read -r name counts; do
        [ "$name" = LOC: ] || continue
        for word in $counts; do
          case $word in *[!0-9]*) break ;; *) total=$((total + word)) ;; esac
        done
      done < /proc/interrupts
    }
    # pause SECONDS: the shell's own, without a new process.
    mkfifo /tmp/never
    exec 4<>/tmp/never
    pause() { read -r -t $1 never <&4; }
    mark() { ticks; echo "mark $1 ticks=$total" >&3; }
    # has_two_threads PROCESS; also true if the process has gone.
    has_two_threads() { set -- /proc/$1/task/*; [ $# -ge 2 ] || [ ! -e "$1" ]; }

    mark user-space
    echo "guest: in user space $(cut -d' ' -f1 /proc/uptime) s after its start"
    echo "guest: timer $(cat /sys/devices/system/clockevents/clockevent0/current_device)"
    [ ${LAB_WORK:-boot} != measure ] ||
      dmesg | grep -E 'Linux version|Command line:|Hypervisor|x2apic ops|Switched to clocksource'
    case ${LAB_WORK:-boot} in
    boot) ;;
    measure)
      echo "guest: idle for ${LAB_IDLE:-3} s"
      pause 0.5
      mark idle-begin
      pause ${LAB_IDLE:-3}
      mark idle-end
      # What follows a mark within a tenth of a second counts as part of it.
      pause 0.2
      echo "guest: cyclictest, ${LAB_LOOPS:-5000} loops of 1 ms"
      cyclictest -l ${LAB_LOOPS:-5000} -a 0 \(Cyclictest.options) > /tmp/cyclictest &
      # The mark comes after the program's start, which costs exits (CPUID in the loader), and before
      # the first wake-up: the kernel writes a line to a serial port with interrupts off, and each
      # byte of this one is an exit. A wake-up in those 5 to 10 ms would be that late.
      tries=0
      until has_two_threads $! || [ $tries = 200 ]; do
        tries=$((tries + 1))
        pause 0.02
      done
      mark begin
      wait
      mark end
      grep -v '^[0-9]* 0*$' /tmp/cyclictest | sed 's/^/file cyclictest /' >&3
      ;;
    wait) while :; do sleep 1; done ;;
    # Into the kernel's log, and so to an early console, which is written without interrupts.
    count)
      echo "guest: counts" > /dev/ttyS0
      count=0
      while read -r up rest < /proc/uptime; do
        count=$((count + 1))
        echo "<1>guest: line $count at $up s" > /dev/kmsg
        pause 0.9
      done
      ;;
    spin) while :; do :; done ;;
    smp | load | ipi | switch | virtio | journey | nvme | disk | writes | net | button | pc | devices)
      . /lab/$LAB_WORK ;;
    *) echo "guest: no work is named $LAB_WORK" ;;
    esac
    echo "guest: power off"
    poweroff -f

    """
}
