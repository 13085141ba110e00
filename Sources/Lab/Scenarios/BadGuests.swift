// SPDX-License-Identifier: Apache-2.0

extension Scenario {
  /// Guests that end themselves, and guests that never end: each is its client's affair alone.
  static func badGuests(_ name: String, rounds: Int, suite: Suite) -> Scenario {
    var scenario = Scenario(
      name: name,
      summary: "guests that end themselves or never end, beside a good one (\(rounds) ×)",
      seconds: 60 + 45 * rounds,
      script: """
        dmesg -n 4
        load apus
        cd /lab/bad
        printf '#!/bin/sh\\nexec apus run --no-console --quiet --cpu 3 --kernel "$@"\\n' > /bin/start
        chmod +x /bin/start
        # Once for what Linux allocates at the first time.
        start /lab/guest/fault < /dev/null > /tmp/out 2>&1
        timeout 2 apus run --quiet --cpu 2 --kernel beat < /dev/null > /tmp/beats 2> /tmp/beat-said
        for cpu in 1 2 3; do echo 0 > /sys/devices/system/cpu/cpu$cpu/online; done
        for cpu in 1 2 3; do echo 1 > /sys/devices/system/cpu/cpu$cpu/online; done
        remember before

        apus run --quiet --cpu 2 --kernel beat < /dev/null > /tmp/beats 2> /tmp/beat-said &
        good=$!
        beats() { grep -c beat /tmp/beats; }
        more_beats_than() { [ $(beats) -gt $1 ]; }
        expect good-guest-beats within 30 more_beats_than 3

        # The report: what happened, registers, last exits.
        says_why() {
          grep -q 'ended itself on vCPU 0' /tmp/out && grep -q ' rip [0-9a-f]' /tmp/out &&
            grep -q 'code 0x[0-9a-f]* at 0x' /tmp/out
        }
        ends() {
          sofar=$(beats)
          timeout 20 start $1 < /dev/null > /tmp/out 2>&1
          status=$?
          [ $status = 2 ] || { fail $2-ends "with $status: $(tail -n 1 /tmp/out)"; return; }
          says_why || { fail $2-says-why "$(head -n 3 /tmp/out | tr '\\n' ' ')"; return; }
          within 5 more_beats_than $sofar || { fail $2-alone "the other guest stopped"; return; }
          pass $2-ends "$(grep 'ended itself' /tmp/out)"
        }
        # SIGTERM in the midst of it. A developer's machine may be too busy to run the emulated one at
        # all for a second, so there are three tries; a guest that hears no kick ends none of them.
        never_ends() {
          for try in 1 2 3; do
            never_ends_once $1 || { fail $2-kicked "$problem"; return; }
            [ $took -gt 100 ] || break
          done
          [ $took -le 100 ] && pass $2-kicked "in $took hundredths of a second" ||
            fail $2-kicked "after $took hundredths of a second"
        }
        never_ends_once() {
          sofar=$(beats)
          start $1 < /dev/null > /tmp/out 2>&1 &
          guest=$!
          within 10 offline 3 || { problem="did not start: $(tail -n 1 /tmp/out)"; return 1; }
          usleep 700000
          within 5 more_beats_than $sofar || { problem="the other guest stopped"; return 1; }
          [ -d /proc/$guest ] || { problem="ended: $(tail -n 1 /tmp/out)"; return 1; }
          sofar=$(beats)
          kill -TERM $guest
          asked=$(now)
          wait $guest
          status=$?
          took=$(($(now) - asked))
          [ $status = 143 ] || { problem="ended with $status: $(tail -n 1 /tmp/out)"; return 1; }
          within 5 more_beats_than $sofar || { problem="the other guest stopped"; return 1; }
        }
        for round in $(seq \(rounds)); do
          step "round $round of \(rounds)"
          ends /lab/guest/fault triple-fault
          for guest in garbage tables root nowhere recursion; do ends $guest $guest; done
          never_ends /lab/guest/spin interrupts-off
          never_ends /lab/guest/halt sleep
          for guest in storm self-interrupt exits debug-loop; do never_ends $guest $guest; done
        done
        expect cpu-back online 3

        value beats $(beats)
        kill -TERM $good
        wait $good
        expect good-guest-unhurt [ $? = 143 ]
        expect no-force [ -z "$(dmesg | grep -e 'by force' -e 'cannot be interrupted')" ]
        sleep 0.5
        slabs_allowed=1024 # hundreds of processes and threads have come and gone
        as_before
        expect host-unhurt clean_kernel_log
        expect driver-unloads rmmod apus

        """)
    scenario.suite = suite
    scenario.machine.append = "panic_on_warn=1 oops=panic"
    scenario.files = ["lab/bad": "build/bad-guests"]
    scenario.expected =
      ["triple-fault", "garbage", "tables", "root", "nowhere", "recursion"].map { $0 + "-ends" }
      + ["interrupts-off", "sleep", "storm", "self-interrupt", "exits", "debug-loop"].map {
        $0 + "-kicked"
      } + ["good-guest-unhurt", "nothing-pinned", "driver-unloads"]
    return scenario
  }
}
