// SPDX-License-Identifier: Apache-2.0

extension Scenario {
  /// What a user of /dev/apus once could do to the host, one attack after the other.
  static let userAttacks: Scenario = {
    var scenario = Scenario(
      name: "user-attacks", summary: "attacks of a user that did harm once", seconds: 120,
      script: """
        dmesg -n 4
        load apus
        echo 2-3 > /sys/module/apus/parameters/pool
        chmod 666 /dev/apus
        # attack NAME ARGUMENT...: what it says is the check's detail, or its reason.
        attack() {
          name=$1; shift
          if "$@" > /tmp/$name 2>&1; then pass $name "$(tail -n 1 /tmp/$name)"
          else fail $name "$(tail -n 1 /tmp/$name)"; fi
        }
        \(numbersOfCPUs)
        \(idleMachines)
        \(leftTimers)
        \(limits)
        \(pinnedMemory)
        expect all-cpus-online [ "$(cat /sys/devices/system/cpu/online)" = 0-3 ]
        expect host-unhurt clean_kernel_log

        """)
    scenario.machine.append = "panic_on_warn=1 oops=panic"
    scenario.files = ["bin/hostile": "build/hostile"]
    scenario.expected = [
      "cpu-numbers", "idle-machines", "left-timers",
      "limits-of-all-processes", "limits-end", "pinned-of-all-processes", "host-unhurt",
    ]
    return scenario
  }()

  /// A driver that looked them up read the kernel's memory behind a bitmap.
  private static let numbersOfCPUs = """
    step "CPUs that no machine has"
    attack cpu-numbers hostile cpu-numbers --uid 1000
    """

  /// A driver whose doorbell walked all VMs took longer with each, with interrupts off.
  private static let idleMachines = """
    step "VMs that do nothing"
    echo 5000 > /sys/module/apus/parameters/user_vms
    attack idle-machines hostile idle-machines --uid 1000 --machines 4000
    """

  /// A driver that let them go on gave a third of a CPU to the PITs of 60 such VMs.
  private static let leftTimers = """
    step "timers of VMs without a CPU"
    attack left-timers hostile left-timers --uid 1000 --machines 20
    """

  /// There was none: VMs without end, and the whole pool for whoever came first.
  private static let limits = """
    step "what one user may have"
    cd /sys/module/apus/parameters
    echo 8 > user_vms
    echo 6 > user_vcpus
    echo 1 > user_lent_cpus
    cd /
    take_all() { attack $1 hostile take-all --uid $2 --machines 8 --processors 6 --lent 1 --seconds 0; }
    hostile take-all --uid 1000 --machines 8 --processors 6 --lent 1 --seconds 60 > /tmp/taken 2>&1 &
    taker=$!
    expect limits-hold within 20 grep refused /tmp/taken
    attack limits-of-all-processes hostile take-all --uid 1000 --machines 0 --seconds 0
    take_all limits-of-another-user 1001
    kill -KILL $taker
    wait $taker 2> /dev/null
    take_all limits-end 1000
    attack limits-are-not-roots hostile idle-machines --machines 100
    """

  /// The limit held for each process alone.
  private static let pinnedMemory = """
    step "memory that one user may pin"
    pin() { sh -c "ulimit -l 8192; exec hostile pin-memory --megabytes 6 --uid $1 --seconds $2"; }
    pin 1000 60 > /tmp/pinned 2>&1 &
    expect pins-within-limit within 10 grep pinned /tmp/pinned
    refuse pinned-of-all-processes 'errno 12' sh -c \
      'ulimit -l 8192; exec hostile pin-memory --megabytes 6 --uid 1000 --seconds 0'
    attack pinned-by-another-user pin 1001 0
    killall -KILL hostile
    wait
    attack pinned-limit-ends pin 1000 0
    """
}
