// SPDX-License-Identifier: Apache-2.0

/// The demonstration's part inside the emulated host: measures each way to run on the same CPU.
struct DemoScript {
  /// The CPU that is measured, and lent.
  static let cpu = 3
  static let loops = 5000
  static let idleSeconds = 3
  /// The same for KVM and Apus: nothing but where to write, how much, and what to do.
  static let guestCommandLine =
    "console=ttyS0 quiet LAB_WORK=measure LAB_LOOPS=\(loops) LAB_IDLE=\(idleSeconds)"
  /// Boots whose time is taken in addition to the measured guest's; the shortest counts.
  static let moreBoots = 2

  let ways: [Way]

  var text: String {
    """
    others=$(seq 0 $(($(nproc) - 1)) | grep -vx \(Self.cpu))
    busy() {
      for other in $others; do
        taskset -c $other sh -c 'while :; do :; done' &
        # They take what is left: what is measured needs these CPUs as well, a little.
        renice -n 19 $! > /dev/null
        echo $! >> /tmp/busy
      done
    }
    idle() { kill $(cat /tmp/busy); rm /tmp/busy; }
    run() {
      timeout 90 apus run --cpu \(Self.cpu) --memory 256 \\
        --kernel /lab/guest/vmlinuz --initrd /lab/guest/initramfs "$@" < /dev/null
    }
    boots() {
      for boot in $(seq \(Self.moreBoots)); do
        run --device /dev/$1 --no-console --quiet --append 'console=ttyS0 quiet LAB_WORK=boot' \\
          --json /tmp/boot.json 2> /dev/null && attach $1-boot-$boot.json /tmp/boot.json
      done
    }
    guest() {
      set -o pipefail
      run --device /dev/$1 --append '\(Self.guestCommandLine)' --json /tmp/$1.json |
        while IFS= read -r line; do
          echo "$line"
          case $line in *'guest: idle'*)
            echo "step CPUs of Linux, now busy: $(cat /sys/devices/system/cpu/online)" >&3
            busy ;;
          esac
        done
      expect $1-powered-off [ $? = 0 ]
      idle
      [ ! -s /tmp/$1.json ] || attach $1.json /tmp/$1.json
    }
    value host-release $(uname -r)
    value clocksource $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)
    dmesg -n 4

    """ + ways.map(Self.part).joined() + """

      expect host-unhurt clean_kernel_log

      """
  }

  private static func part(_ way: Way) -> String {
    switch way {
    case .bare:
      """

      step "bare: the host itself runs cyclictest on CPU \(cpu), its other CPUs busy"
      busy
      cyclictest -l \(loops) -i 1000 -m -q -p 80 -t 1 -a \(cpu) -h 20000 > /tmp/bare
      expect bare-measured [ $? = 0 ]
      idle
      grep -v '^[0-9]* 0*$' /tmp/bare > /tmp/bare.txt
      attach bare.txt /tmp/bare.txt

      """
    case .kvm:
      """

      step "kvm: the same guest on the host's own /dev/kvm, on CPU \(cpu), with the same client"
      load kvm-amd
      guest kvm
      boots kvm

      """
    case .apus:
      """

      step "apus: insmod apus.ko, and a guest on CPU \(cpu) that Linux gives up for it"
      expect driver-loaded load apus
      guest apus
      expect cpu-came-back online \(cpu)
      step "CPUs of Linux after the guest: $(cat /sys/devices/system/cpu/online)"
      boots apus

      """
    }
  }
}

extension DemoScript {
  /// On what the measured loop runs.
  enum Way: String, CaseIterable, Sendable {
    case bare, kvm, apus
  }
}
