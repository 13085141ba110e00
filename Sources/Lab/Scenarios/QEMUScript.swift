// SPDX-License-Identifier: Apache-2.0

/// What scripts need that run QEMU in the host, unmodified, on /dev/apus or on KVM.
enum QEMUScript {
  /// The guest's own command line: see `HostMachine.emulatedClockWords`.
  static let commandLine = "console=ttyS0 quiet panic=-1 tsc=reliable no_timer_check"

  /// The guest's console is the file /tmp/console, and what is written to descriptor 4 is typed there.
  static let functions = """
    cd /lab/guest
    dmesg -n 4
    mkfifo /tmp/typed /tmp/monitor.in /tmp/monitor.out
    exec 4<>/tmp/typed 5<>/tmp/monitor.in 6<>/tmp/monitor.out
    cat <&6 >> /tmp/answers &
    # start DEVICE ARGUMENT...: QEMU on that device, in the background; LAB is the guest's work, and after
    # `limit` seconds it is killed.
    start() {
      device=$1; shift
      : > /tmp/console
      timeout -s KILL ${limit:-150} qemu-system-x86_64 -nodefaults -no-user-config -display none \\
        -accel kvm,device=$device -m 128 -serial stdio -chardev pipe,id=monitor,path=/tmp/monitor \\
        -mon chardev=monitor "$@" -kernel vmlinuz -initrd initramfs \\
        -append "\(commandLine) $LAB" <&4 >> /tmp/console 2> /tmp/said &
      qemu=$!
    }
    # finish NAME: QEMU has ended by itself.
    finish() {
      wait $qemu
      status=$?
      tr -d '\\r' < /tmp/console > /tmp/$1
      cat /tmp/said >> /tmp/$1
      attach $1.txt /tmp/$1
      expect $1-powered-off [ $status = 0 ]
    }
    said() { grep -q "$1" /tmp/console; }
    repeats() { [ $(grep -c "$1" /tmp/console) -ge $2 ]; }
    monitor() { echo "$*" >&5; }
    # answers COMMAND TEXT: QEMU's monitor answers with that text, in a line of it.
    answers() {
      : > /tmp/answers
      monitor "$1"
      sleep 0.4
      grep -q "$2" /tmp/answers
    }
    # counters WHEN: exits and the like of all vCPUs, as `process vcpu name number`.
    counters() {
      if [ $device = /dev/apus ]; then cat /sys/kernel/debug/apus/vcpus > /tmp/counters-$1
      else
        for name in exits io_exits mmio_exits irq_injections halt_wakeup halt_exits; do
          echo "0 0 $name $(cat /sys/kernel/debug/kvm/$name)"
        done > /tmp/counters-$1
      fi
    }
    # grown NAME: by how much a counter grew between `before` and `after`.
    grown() {
      awk -v name="$1" '$3 == name { if (FILENAME ~ /before/) sum -= $4; else sum += $4 }
        END { print sum + 0 }' /tmp/counters-before /tmp/counters-after
    }
    # phase NAME: lets a guest of LAB_WORK=virtio go through one, and counts.
    phase() {
      expect $guest-$1-begins within 120 said "guest: $1-begin" || return 1
      sleep 0.3
      counters before
      echo go >&4
      expect $guest-$1-ends within 60 said "guest: $1-end" || return 1
      sleep 0.1
      counters after
      echo go >&4
      awk '{ key = $2 " " $3 } FILENAME ~ /before/ { old[key] = $4; next }
        $4 != old[key] { print $2, $3, $4 - old[key] }' /tmp/counters-before /tmp/counters-after \\
        > /tmp/grown
      attach $guest-$1-counters.txt /tmp/grown
    }
    of() { tr -d '\\r' < /tmp/console | sed -n "s/^$1 //p" | cut -d' ' -f${2:-1}; }

    """

  /// A disk and a file to fetch, and a guest of LAB_WORK=virtio with both.
  static let virtio = """
    mkdir -p /tmp/served
    head -c 200000 /dev/urandom > /tmp/served/file
    # virtio GUEST DEVICE BUS ARGUMENT...: BUS is `pci` or `device`, as QEMU's devices are named.
    virtio() {
      guest=$1 on=$2 bus=$3; shift 3
      rom= # of a network card: nobody boots from it
      [ $bus = device ] || rom=,romfile=
      head -c 2097152 /dev/urandom > /tmp/disk
      LAB="LAB_WORK=virtio LAB_REQUESTS=$requests LAB_PINGS=$pings"
      sum=$(md5sum < /tmp/disk | cut -d' ' -f1)
      start $on "$@" -drive file=/tmp/disk,format=raw,if=none,id=disk -device virtio-blk-$bus,drive=disk \\
        -netdev user,id=net,tftp=/tmp/served -device virtio-net-$bus,netdev=net$rom
      phase disk || { kill -9 $qemu; finish $guest; return; }
      value $guest-disk-exits $(grown $exits)
      value $guest-disk-notifications $(grown notification)
      value $guest-disk-interrupts-sent $(grown interrupts-sent)
      value $guest-disk-kicks $(grown kicks)
      phase net || { kill -9 $qemu; finish $guest; return; }
      value $guest-net-exits $(grown $exits)
      value $guest-net-notifications $(grown notification)
      value $guest-net-interrupts-sent $(grown interrupts-sent)
      value $guest-net-kicks $(grown kicks)
      finish $guest
      value $guest-disk-interrupts $(of disk-interrupts)
      expect $guest-disk-read [ "$(of disk-sum)" = $sum ]
      expect $guest-disk-written grep -q written-by-the-guest /tmp/disk
      expect $guest-net-received said "^$pings packets transmitted, $pings packets received"
      expect $guest-net-file [ "$(of net-sum)" = "$(md5sum < /tmp/served/file | cut -d' ' -f1)" ]
    }
    requests=200 pings=50 exits=entries

    """

  /// What `virtio` checks of a guest.
  static func virtioChecks(_ guest: String) -> [String] {
    [
      "disk-begins", "disk-ends", "net-begins", "net-ends", "powered-off", "disk-read",
      "disk-written", "net-received", "net-file",
    ].map { "\(guest)-\($0)" }
  }
}
