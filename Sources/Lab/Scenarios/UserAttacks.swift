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
        \(handOvers)
        expect all-cpus-online [ "$(cat /sys/devices/system/cpu/online)" = 0-3 ]
        expect host-unhurt clean_kernel_log

        """)
    scenario.machine.append = "panic_on_warn=1 oops=panic"
    scenario.files = ["bin/hostile": "build/hostile"]
    scenario.expected = [
      "cpu-numbers", "idle-machines", "left-timers",
      "limits-of-all-processes", "limits-end", "pinned-of-all-processes",
      "cgroups-go-on", "another-gets-its-cpu", "hand-overs-are-paced", "host-unhurt",
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
    attack idle-machines hostile idle-machines --uid 1000 --machines 4000 --slowness ${slowness:-1}
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

  /// They were done by the caller's task: one that its cgroup let run for a millisecond in a second held
  /// Linux's hotplug lock for three. Cgroups moved in 2.98 s then, and another's CPU came after 8.66 s.
  private static let handOvers = """
    step "hand-overs by a user who is throttled"
    cd /
    mkdir /cg
    mount -t cgroup2 none /cg
    echo +cpu > /cg/cgroup.subtree_control
    mkdir /cg/slow /cg/here /cg/there
    echo "$((1000 * ${slowness:-1})) 1000000" > /cg/slow/cpu.max
    hostile hand-overs --uid 1000 --seconds 20 > /tmp/hand-overs 2>&1 &
    attacker=$!
    # Its start alone takes more than it will have in the next half minute.
    expect hand-overs-begin within 30 grep begun /tmp/hand-overs
    echo $attacker > /cg/slow/cgroup.procs
    worst=0
    for round in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
      began=$(now)
      echo $$ > /cg/here/cgroup.procs
      echo $$ > /cg/there/cgroup.procs
      took=$(($(now) - began))
      [ $took -le $worst ] || worst=$took
      sleep 0.2
    done
    echo $$ > /cg/cgroup.procs
    [ $worst -le $((60 * ${slowness:-1})) ] && pass cgroups-go-on "the slowest of 15 moves took $worst hundredths" ||
      fail cgroups-go-on "a move took $worst hundredths"
    began=$(now)
    apus run --no-console --quiet --cpu 2 --kernel /lab/guest/off < /dev/null || fail another-runs
    took=$(($(now) - began))
    [ $took -le $((300 * ${slowness:-1})) ] && pass another-gets-its-cpu "$took hundredths" ||
      fail another-gets-its-cpu "$took hundredths"
    kill -KILL $attacker
    wait $attacker 2> /dev/null
    step "hand-overs by a user who is not"
    hostile hand-overs --uid 1000 --seconds 6 > /tmp/paced 2>&1
    # 8 at once, and one each quarter of a second.
    count=$(sed -n 's/ hand-overs in.*//p' /tmp/paced)
    [ "${count:-99}" -le 33 ] && pass hand-overs-are-paced "$(tail -n 1 /tmp/paced)" ||
      fail hand-overs-are-paced "$(tail -n 1 /tmp/paced)"
    expect cpu-3-back within 10 online 3
    """
}
