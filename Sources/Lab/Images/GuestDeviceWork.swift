// SPDX-License-Identifier: Apache-2.0

/// What a guest with an NVMe disk of the machine does, for LAB_WORK=nvme: a shell script, run by the
/// guest's /init with its functions at hand.
///
/// As in `GuestVirtioWork` it waits for a line before and after what is counted.
enum GuestDeviceWork {
  static let script: (name: String, text: String) = ("nvme", text)

  private static let text = """
    say() { echo "guest: $*"; read -r word; }
    # interrupts NAME: of all CPUs.
    interrupts() {
      awk -v of="$1" '$NF ~ of { for (i = 2; i <= n + 1; i++) sum += $i } END { print sum + 0 }' \
        n=$(nproc) /proc/interrupts
    }
    disk=/dev/nvme0n1
    tries=0
    until [ -b $disk ] || [ $tries = 200 ]; do tries=$((tries + 1)); pause 0.1; done
    echo "disk-sum $(head -c 2097152 $disk | md5sum)"
    # Each past the page cache: a request of its own.
    requests=${LAB_REQUESTS:-1000}
    for round in $(echo ${LAB_ROUNDS:-reads} | tr , ' '); do
      before=$(interrupts nvme0q)
      say $round-begin
      # On each vCPU: each has a queue and an interrupt of its own.
      cpu=0
      while [ $cpu -lt $(nproc) ]; do
        taskset -c $cpu dd if=$disk of=/dev/null bs=4096 count=$requests iflag=direct 2>&1 | tail -n 1
        cpu=$((cpu + 1))
      done
      say $round-end
      echo "$round-interrupts $(($(interrupts nvme0q) - before)) requests $((requests * $(nproc)))"
    done
    # The interrupt of the administrator's queue is the one that may be moved, unless it is a line.
    irq=$(awk '$NF == "nvme0q0" { print $1 + 0 }' /proc/interrupts)
    if [ $(nproc) -gt 1 ] && [ -n "$irq" ]; then
      column() { awk -v column=$(($1 + 2)) '$NF == "nvme0q0" { print $column }' /proc/interrupts; }
      rescan() { echo 1 > /sys/class/nvme/nvme0/rescan_controller; pause 0.3; }
      for cpu in 1 0 1; do
        echo $((1 << cpu)) > /proc/irq/$irq/smp_affinity
        rescan
        before=$(column $cpu)
        rescan
        [ $(column $cpu) -gt $before ] && echo "moved to $cpu"
      done
      # Its queue's interrupt is shut down with a CPU, and started with it.
      say move-end
      for round in 1 2 3; do
        echo 0 > /sys/devices/system/cpu/cpu1/online
        dd if=$disk of=/dev/null bs=4096 count=20 iflag=direct 2> /dev/null || echo "bad read"
        echo 1 > /sys/devices/system/cpu/cpu1/online
        taskset -c 1 dd if=$disk of=/dev/null bs=4096 count=20 iflag=direct 2> /dev/null ||
          echo "bad read"
        echo "cpu 1 was away $round"
      done
      # Its registers, which are there as long as the device's memory is switched on. Nobody reads them at the
      # moment at which that changes: QEMU may look for them itself then, and be killed by SIGBUS.
      device=$(readlink -f /sys/class/nvme/nvme0/device)
      registers=$(head -n 1 $device/resource | cut -d' ' -f1)
      version() { taskset -c $1 devmem $((registers + 8)) 32; }
      memory() { printf "$1" | dd of=$device/config bs=1 seek=4 conv=notrunc 2> /dev/null; }
      right=$(version 0) gone=0 back=0
      for round in 1 2 3 4 5; do
        memory '\\004'
        for cpu in 0 1; do [ $(version $cpu) = $right ] || gone=$((gone + 1)); done
        memory '\\006'
        for cpu in 0 1; do [ $(version $cpu) != $right ] || back=$((back + 1)); done
      done
      echo "registers gone $gone back $back $right"
      # Reset by its function while it is read.
      for cpu in 0 1; do
        taskset -c $cpu dd if=$disk of=/dev/null bs=4096 count=300 iflag=direct 2> /dev/null ||
          echo "bad read" &
      done
      for round in 1 2 3; do
        echo 1 > $device/reset && echo "reset $round"
        pause 0.2
      done
      wait
      dd if=$disk of=/dev/null bs=4096 count=20 iflag=direct 2> /dev/null && echo "read after resets"
    fi
    # A reset of the controller gives all interrupts back and asks for them again.
    echo 1 > /sys/class/nvme/nvme0/reset_controller
    dd if=$disk of=/dev/null bs=4096 count=20 iflag=direct 2> /dev/null && echo "read after reset"
    say storm
    while [ -n "$LAB_STORM" ]; do
      dd if=$disk of=/dev/null bs=4096 count=$requests iflag=direct 2> /dev/null
    done

    """
}
