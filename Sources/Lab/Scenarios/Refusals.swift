// SPDX-License-Identifier: Apache-2.0

extension Scenario {
  /// Requests that cannot be met: each is refused in words that help, and nothing is left behind.
  static let refusals: Scenario = {
    var scenario = Scenario(
      name: "refusals", summary: "bad input and bad moments are refused in words", seconds: 120,
      script: """
        cd /lab/guest
        dmesg -n 4
        printf '#!/bin/sh\nexec apus run --no-console --kernel /lab/guest/off "$@"\n' > /bin/start
        chmod +x /bin/start

        step "without the driver, and without the monitor"
        refuse module-missing 'insmod apus.ko' start --cpu 3
        refuse check-without-module 'modprobe apus' apus check
        mv /lib/firmware/apus/monitor /tmp/monitor
        expect driver-loads-alone load apus
        refuse monitor-missing '/lib/firmware/apus/monitor' start --cpu 3
        refuse check-without-monitor '/lib/firmware/apus/monitor' apus check
        expect driver-unloads rmmod apus
        head -c 3000 /tmp/monitor > /lib/firmware/apus/monitor
        expect driver-loads-again load apus
        refuse monitor-truncated '/lib/firmware/apus/monitor' start --cpu 3
        rmmod apus
        load apus any_image=1
        refuse monitor-truncated-and-permitted '/lib/firmware/apus/monitor' start --cpu 3
        expect poll-has-a-limit [ "$(echo 1001 2>&1 > /sys/module/apus/parameters/poll_us | grep -c Invalid)" = 1 ]
        expect poll-stays-as-it-was [ "$(cat /sys/module/apus/parameters/poll_us)" = 50 ]
        rmmod apus
        mv /tmp/monitor /lib/firmware/apus/monitor
        expect driver-loaded load apus
        expect host-can-lend apus check

        # Once for what Linux allocates at the first time.
        expect small-guest-runs start --cpu 3 --quiet
        echo 0 > /sys/devices/system/cpu/cpu2/online
        echo 1 > /sys/devices/system/cpu/cpu2/online
        remember before
        step "CPUs"
        refuse no-such-cpu 'there is no CPU 9' start --cpu 9
        refuse cpu-0 'Linux needs' start --cpu 0
        refuse check-cpu-0 'Linux needs it' apus check --cpu 0
        refuse not-a-cpu 'no list of CPUs' start --cpu three
        refuse no-pool '--cpu' start
        refuse pool-with-cpu-0 'Linux needs it' apus pool 0-3
        refuse pool-with-no-such-cpu 'no CPU 9' apus pool 3,9
        refuse pool-that-is-no-list 'no list of CPUs' apus pool all
        expect pool-stays-empty [ "$(apus pool)" = none ]
        expect pool-set [ "$(apus pool 2-3)" = 2-3 ]
        expect pool-in-check sh -c 'apus check | grep "pool.*2-3"'
        expect pool-gives-a-cpu start --quiet
        apus pool 3
        apus run --no-console --quiet --kernel spin < /dev/null &
        guest=$!
        expect pool-cpu-lent within 30 offline 3
        refuse pool-exhausted 'no CPU is left' start
        kill -KILL $guest
        expect pool-waits-for-the-dying start --quiet
        wait $guest
        expect pool-emptied [ "$(apus pool none)" = none ]
        mkdir -p /etc
        echo 'user:x:1000:1000::/:/bin/sh' > /etc/passwd
        chmod 666 /dev/apus
        refuse pool-is-roots 'run as root' su user -c 'apus pool 3'
        refuse reclaim-is-roots 'run as root' su user -c 'apus reclaim 3'
        refuse memory-beyond-limit 'ulimit -l' su user -c 'start --cpu 3'
        refuse not-in-pool 'not one of those' sh -c 'ulimit -l unlimited; su user -c "start --cpu 3"'
        chmod 660 /dev/apus
        echo 0 > /sys/devices/system/cpu/cpu2/online
        refuse offline-cpu 'is offline' start --cpu 2
        echo 1 > /sys/devices/system/cpu/cpu2/online
        apus run --no-console --quiet --cpu 3 --kernel spin < /dev/null &
        guest=$!
        expect cpu-3-lent within 30 offline 3
        refuse busy-cpu 'lent' start --cpu 3
        refuse check-busy-cpu 'lent' apus check --cpu 3
        refuse online-a-lent-cpu 'busy\\|invalid' sh -c 'echo 1 > /sys/devices/system/cpu/cpu3/online'
        refuse unload-in-use 'in use\\|unavailable\\|busy' rmmod apus
        kill -TERM $guest
        wait $guest
        expect ended-by-a-signal [ $? = 143 ]
        expect cpu-back online 3

        step "kernels, memory, files"
        refuse kernel-missing 'cannot read' apus run --cpu 3 --kernel /nowhere
        head -c 4000000 vmlinuz > /tmp/cut
        refuse kernel-truncated 'is truncated' apus run --cpu 3 --kernel /tmp/cut
        rm /tmp/cut
        refuse kernel-empty 'too short' apus run --cpu 3 --kernel /dev/null
        refuse not-a-kernel 'not a Linux bzImage' apus run --cpu 3 --kernel initramfs
        refuse memory-beyond-machine 'more than this machine has' start --cpu 3 --memory 64G
        refuse memory-too-small 'use --memory' apus run --cpu 3 --kernel vmlinuz --memory 24
        refuse memory-no-number 'no amount of memory' start --cpu 3 --memory lots
        refuse result-file 'cannot write' start --cpu 3 --json /nowhere/r.json
        refuse not-a-device '/dev/null' start --cpu 3 --device /dev/null
        expect all-cpus-online [ "$(cat /sys/devices/system/cpu/online)" = 0-3 ]
        as_before
        expect host-unhurt clean_kernel_log

        """)
    scenario.machine.append = "panic_on_warn=1"
    scenario.expected = [
      "host-can-lend", "not-in-pool", "memory-beyond-limit", "busy-cpu", "cpu-back",
      "memory-as-before", "host-unhurt",
    ]
    return scenario
  }()
}
