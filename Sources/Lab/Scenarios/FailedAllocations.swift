// SPDX-License-Identifier: Apache-2.0

extension Scenario {
  /// Each allocation of each request is refused, one at a time. Only a kernel with fault injection does that.
  static let failedAllocations: Scenario = {
    var scenario = Scenario(
      name: "failed-allocations", summary: "each allocation of each request refused", seconds: 120,
      script: """
        load apus
        cd /sys/kernel/debug
        # Those that may wait too, of one page too, and without a stack for each.
        for kind in failslab fail_page_alloc fail_usercopy; do
          echo 0 > $kind/verbose
          [ ! -e $kind/ignore-gfp-wait ] || echo N > $kind/ignore-gfp-wait
        done
        echo N > fail_page_alloc/ignore-gfp-highmem
        echo 0 > fail_page_alloc/min-order
        cd /
        apus run --no-console --quiet --cpu 3 --kernel /lab/guest/off < /dev/null
        remember before
        # attack NAME: its last line is the check's detail, or its reason.
        attack() {
          hostile $1 > /tmp/$1 2>&1
          code=$?
          attach $1.txt /tmp/$1
          [ $code = 0 ] && pass $1 "$(tail -n 1 /tmp/$1)" || fail $1 "$code: $(tail -n 1 /tmp/$1)"
        }
        step "of the caller"
        echo 3 > /sys/module/apus/parameters/pool
        attack failed-allocations
        step "of the worker that hands CPUs over"
        attack failed-hand-overs
        expect all-cpus-online [ "$(cat /sys/devices/system/cpu/online)" = 0-3 ]
        expect next-guest-runs apus run --no-console --quiet --cpu 3 --kernel /lab/guest/off
        sleep 0.5
        as_before

        """)
    scenario.files = ["bin/hostile": "build/hostile"]
    scenario.expected = [
      "failed-allocations", "failed-hand-overs", "all-cpus-online", "next-guest-runs",
      "nothing-pinned", "memory-as-before",
    ]
    return scenario
  }()
}
