// SPDX-License-Identifier: Apache-2.0

extension Scenario {
  /// What an administrator may do to a host while a guest runs: it is refused with a reason, or it
  /// works and the guest goes on.
  static let guards: Scenario = {
    var scenario = Scenario(
      name: "guards", summary: "unload, suspend, hotplug and reboot while guests run", seconds: 120,
      script: """
        cd /sys/devices/system/cpu
        dmesg -n 4
        load apus
        apus run --quiet --cpu 3 --kernel /lab/bad/beat < /dev/null > /tmp/beats 2> /tmp/said &
        guest=$!
        beats() { grep -c beat /tmp/beats; }
        more_beats_than() { [ $(beats) -gt $1 ]; }
        goes_on() { within 10 more_beats_than $(($(beats) + 3)); }
        said() { dmesg | tail -n 20 | grep -q "$1"; }
        # Without a lent CPU the host would suspend.
        within 30 more_beats_than 3 && pass guest-beats ||
          { fail guest-beats "$(tail -n 1 /tmp/said)"; exit 1; }

        step "module, suspend"
        refuse unload 'in use\\|unavailable\\|busy' rmmod apus
        for state in $(cat /sys/power/state); do
          [ $state != disk ] || continue
          dmesg -c > /dev/null
          refuse suspend-$state 'busy' sh -c "echo $state > /sys/power/state"
          expect suspend-$state-says-why said 'lent: no suspend'
        done
        value suspend-states "$(cat /sys/power/state)"
        refuse hibernation 'busy\\|permitted\\|no such device' sh -c 'echo disk > /sys/power/state'
        expect goes-on-after-suspend goes_on

        step "the lent CPU"
        refuse online-a-lent-cpu 'busy\\|invalid' sh -c 'echo 1 > cpu3/online'
        refuse lent-twice 'lent' apus run --cpu 3 --kernel /lab/guest/off
        refuse cpu-0 'Linux needs' apus run --cpu 0 --kernel /lab/guest/off
        eject=
        for device in /sys/bus/acpi/devices/LNXCPU:*; do
          [ "$(cat $device/physical_node/uevent 2> /dev/null)" ] || continue
          case $(readlink $device/physical_node) in */cpu3) eject=$device/eject ;; esac
        done
        value hot-remove "${eject:-not offered by this kernel}"
        if [ -e "$eject" ]; then
          dmesg -c > /dev/null
          # The kernel takes the request; what becomes of it is in its log.
          sh -c "echo 1 > $eject"
          sleep 1
          expect not-removed [ -d cpu3 ]
          expect hot-remove-says-why said 'processor cpu3: Offline failed'
          expect goes-on-after-hot-remove goes_on
        fi

        step "the doorbell's CPU goes, until CPU 0 is alone"
        irq=$(awk '$NF == "apus" { sub(":", "", $1); print $1 }' /proc/interrupts)
        at() { cat /proc/irq/$irq/effective_affinity_list; }
        expect doorbell-moves sh -c "echo 2 > /proc/irq/$irq/smp_affinity_list"
        expect goes-on-with-doorbell-at-2 goes_on
        value doorbell-at $(at)
        expect offline-the-doorbells sh -c 'echo 0 > cpu2/online'
        expect goes-on-without-it goes_on
        value doorbell-then-at $(at)
        expect offline-another sh -c 'echo 0 > cpu1/online'
        expect cpu-0-alone [ "$(cat online)" = 0 ]
        expect goes-on-with-cpu-0-alone goes_on
        refuse last-cpu 'Linux needs' apus run --cpu 0 --kernel /lab/guest/off
        [ ! -e cpu0/online ] || refuse offline-cpu-0 'busy\\|invalid\\|permitted' sh -c 'echo 0 > cpu0/online'
        refuse offline-cpu 'is offline' apus run --cpu 2 --kernel /lab/guest/off
        expect cpu-1-again sh -c 'echo 1 > cpu1/online'
        expect cpu-2-again sh -c 'echo 1 > cpu2/online'
        # The doorbell's own CPU can be lent as well.
        echo 1 > /proc/irq/$irq/smp_affinity_list
        expect doorbells-cpu-lent apus run --no-console --quiet --cpu 1 --kernel /lab/guest/off
        expect still-goes-on goes_on
        kill -TERM $guest
        wait $guest
        expect guest-unhurt [ $? = 143 ]

        step "a CPU that a stopped client keeps"
        refuse reclaim-not-lent 'is not lent' apus reclaim 3
        apus run --quiet --cpu 3 --kernel /lab/bad/beat < /dev/null > /tmp/beats 2> /tmp/said &
        guest=$!
        within 30 more_beats_than 3 && pass another-beats || fail another-beats "$(tail -n 1 /tmp/said)"
        kill -STOP $guest
        expect not-linuxs-while-stopped offline 3
        expect reclaimed apus reclaim 3
        expect linuxs-again online 3
        kill -CONT $guest
        wait $guest
        expect stopped-client-ends [ $? != 0 ]
        value stopped-client-said "$(tail -n 1 /tmp/said)"
        expect all-cpus-online [ "$(cat online)" = 0-3 ]
        expect host-unhurt clean_kernel_log

        step "reboot while two guests run"
        for cpu in 2 3; do
          apus run --no-console --quiet --cpu $cpu --kernel /lab/guest/spin < /dev/null &
          expect cpu-$cpu-lent within 10 offline $cpu
        done
        \(Reboot.script(seconds: 20))

        """)
    scenario.machine.append = "panic_on_warn=1 oops=panic"
    scenario.files = ["lab/bad": "build/bad-guests"]
    scenario.expected = [
      "unload", "goes-on-after-suspend", "goes-on-without-it", "goes-on-with-cpu-0-alone",
      "doorbells-cpu-lent", "guest-unhurt", "reclaimed", "linuxs-again", "stopped-client-ends",
      "host-unhurt", "cpu-2-lent", "cpu-3-lent",
    ]
    scenario.checks = [.init("reboot-takes-cpus-back", problem: rebootProblem)]
    return scenario
  }()

  /// Both CPUs come online again, and only then does the machine restart.
  private static func rebootProblem(_ report: Report) -> String? {
    switch Reboot.console(of: report) {
    case .failure(let problem): return problem.words
    case .success(let console):
      for cpu in 2...3
      where !console.contains(where: { $0.contains("Booting Node 0 Processor \(cpu)") }) {
        return "CPU \(cpu) was not Linux's again"
      }
      return nil
    }
  }
}
