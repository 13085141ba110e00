// SPDX-License-Identifier: Apache-2.0

extension Scenario {
  /// Every ioctl with hostile arguments, from root and from a user who may and may not: an errno
  /// each time, and afterwards everything is as before (APUS_LAB_SEED).
  static func hostile(_ name: String, seconds: Int, suite: Suite) -> Scenario {
    hostile(
      name, summary: "every ioctl with hostile arguments, for \(seconds) s", seconds: seconds,
      calls: 0, suite: suite)
  }

  /// So many calls, a third of them from a user, on a host with this kernel.
  static func hostile(_ name: String, calls: Int, on kernel: KernelPackage) -> Scenario {
    var scenario = hostile(
      name, summary: "\(calls) hostile ioctls on \(kernel)", seconds: 3600, calls: calls,
      suite: .soak)
    scenario.kernel = kernel
    return scenario
  }

  private static func hostile(
    _ name: String, summary: String, seconds: Int, calls: Int, suite: Suite
  ) -> Scenario {
    var scenario = Scenario(
      name: name, summary: summary,
      seconds: 120 + 2 * seconds,
      script: """
        dmesg -n 4
        load apus
        apus run --no-console --quiet --cpu 3 --kernel /lab/guest/off < /dev/null
        chmod 666 /dev/apus
        # Once for what Linux allocates at the first time.
        hostile --uid 1000 --seconds 2 > /dev/null
        chmod 660 /dev/apus
        remember before
        value seed \(seed)
        value kernel "$(uname -r)"
        echo 1-3 > /sys/module/apus/parameters/pool
        # As many hand-overs as it can make.
        echo 0 > /sys/module/apus/parameters/user_handover_ms
        calls=0
        all_online() { [ "$(cat /sys/devices/system/cpu/online)" = 0-3 ]; }
        # attack NAME OPTION...: must end by itself, and well.
        attack() {
          attack=$1; shift
          hostile "$@" > /tmp/said 2>&1
          status=$?
          attach $attack.txt /tmp/said
          made=$(sed -n 's/^calls \\([0-9]*\\),.*/\\1/p' /tmp/said)
          calls=$((calls + ${made:-0}))
          [ $status = 0 ] && pass $attack "$(grep '^calls' /tmp/said)" ||
            fail $attack "ended with $status: $(grep -e WRONG -e stuck -e cannot -e rror /tmp/said | head -n 3 | tr '\\n' ' ')"
          expect $attack-cpus-back within 10 all_online
        }
        step "a user who may not"
        refuse not-for-everybody 'permission denied' hostile --uid 1000 --seconds 1
        step "a user who may"
        chmod 666 /dev/apus
        attack user --uid 1000 --seed \(seed) --seconds \(max(seconds / 3, 1)) --calls \(calls / 3)
        chmod 660 /dev/apus
        step "root"
        attack root --seed \(seed + 1) --seconds \(max(seconds / 2, 1)) --calls \(calls - calls / 3)
        value calls $calls
        [ $calls -ge \(max(calls, 1)) ] && pass enough-calls $calls ||
          fail enough-calls "only $calls in \(seconds) s"
        step "killed in the midst of it"
        # It would go on for much longer.
        hostile --seed \(seed + 2) --seconds \(60 + seconds) --child \(60 + seconds) > /dev/null 2>&1 &
        client=$!
        sleep \(min(max(seconds / 6, 1), 60))
        expect still-attacking [ -d /proc/$client ]
        kill -KILL $client
        wait $client 2> /dev/null
        expect cpus-back-after-kill within 10 all_online
        expect its-child-lives pidof hostile
        remember orphaned
        expect child-keeps-nothing cmp /tmp/pinned-before /tmp/pinned-orphaned
        killall -KILL hostile

        value by-force "$(dmesg | grep -c 'by force')"
        expect monitor-never-stopped [ -z "$(dmesg | grep 'the monitor stopped')" ]
        expect next-guest-runs apus run --no-console --quiet --cpu 3 --kernel /lab/guest/off
        dmesg | grep 'apus:' | sed 's/^[^a]*//' | sort | uniq -c > /tmp/log
        attach kernel-log.txt /tmp/log
        sleep 0.5
        slabs_allowed=1024 # hundreds of processes and threads have come and gone
        as_before
        expect host-unhurt clean_kernel_log
        expect driver-unloads rmmod apus

        """)
    scenario.suite = suite
    scenario.machine.append = "panic_on_warn=1 oops=panic"
    scenario.files = ["bin/hostile": "build/hostile"]
    scenario.expected = [
      "not-for-everybody", "user", "root", "enough-calls", "cpus-back-after-kill",
      "child-keeps-nothing",
      "next-guest-runs", "nothing-pinned", "host-unhurt", "driver-unloads",
    ]
    return scenario
  }
}
