// SPDX-License-Identifier: Apache-2.0
import Figures

/// The demonstration's part inside the emulated host: measures each way to run on the same CPU.
struct DemoScript {
  let plan: DemoPlan
  let ways: [Way]

  init(_ plan: DemoPlan = DemoPlan(.amd), ways: [Way]) {
    self.plan = plan
    self.ways = ways
  }

  var text: String {
    """
    others=$(seq 0 $(($(nproc) - 1)) | grep -vx \(plan.cpu))
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
      timeout \(plan.guestSeconds) apus run --cpu \(plan.cpu) --memory 256 \\
        --kernel /lab/guest/vmlinuz --initrd /lab/guest/initramfs "$@" < /dev/null
    }
    boots() {
      for boot in $(seq \(plan.moreBoots)); do
        run --device /dev/$1 --no-console --quiet --append 'console=ttyS0 quiet LAB_WORK=boot' \\
          --json /tmp/boot.json 2> /dev/null && attach $1-boot-$boot.json /tmp/boot.json
      done
    }
    guest() {
      set -o pipefail
      run --device /dev/$1 --append '\(plan.guestCommandLine)' --json /tmp/$1.json |
        while IFS= read -r line; do
          echo "$line"
          case $line in *'guest: idle'*)
            echo "step CPUs of Linux, now busy: $(cat /sys/devices/system/cpu/online)" >&3
            busy ;;
          *'guest: timer '*) value $1-timer ${line##* } ;;
          esac
        done
      expect $1-powered-off [ $? = 0 ]
      idle
      [ ! -s /tmp/$1.json ] || attach $1.json /tmp/$1.json
    }
    value host-release $(uname -r)
    value clocksource $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)
    dmesg -n 4

    """ + ways.map(part).joined() + """

      expect host-unhurt clean_kernel_log

      """
  }

  private func part(_ way: Way) -> String {
    switch way {
    case .bare:
      """

      step "bare: the host itself runs cyclictest on CPU \(plan.cpu), its other CPUs busy"
      busy
      cyclictest -l \(plan.loops) -a \(plan.cpu) \(Cyclictest.options) > /tmp/bare
      expect bare-measured [ $? = 0 ]
      idle
      value bare-timer $(cat /sys/devices/system/clockevents/clockevent\(plan.cpu)/current_device)
      grep -v '^[0-9]* 0*$' /tmp/bare > /tmp/bare.txt
      attach bare.txt /tmp/bare.txt

      """
    case .kvm:
      """

      step "kvm: the same guest on the host's own /dev/kvm, on CPU \(plan.cpu), with the same client"
      load \(plan.machine.kvmModule)
      guest kvm
      boots kvm

      """
    case .apus:
      """

      step "apus: insmod apus.ko, and a guest on CPU \(plan.cpu) that Linux gives up for it"
      expect driver-loaded load apus
      guest apus
      expect cpu-came-back online \(plan.cpu)
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
