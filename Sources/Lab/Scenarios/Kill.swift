// SPDX-License-Identifier: Apache-2.0
import Foundation
import Generator

extension Scenario {
  /// `kill -9` at random moments, `count` times: while a CPU is lent, while the guest boots, while it
  /// works, while it ends.
  static func kill(_ name: String, count: Int, suite: Suite) -> Scenario {
    var scenario = Scenario(
      name: name, summary: "\(count) × kill -9 of a client at a random moment (APUS_LAB_SEED)",
      seconds: 60 + 10 * count,
      script: """
        cd /lab/guest
        dmesg -n 4
        load apus
        apus run --no-console --quiet --cpu 3 --kernel off < /dev/null
        value seed \(seed)
        remember before
        # What Linux itself takes for the same on this machine, whose CPUs may starve for a while.
        start=$(now)
        echo 0 > /sys/devices/system/cpu/cpu3/online; echo 1 > /sys/devices/system/cpu/cpu3/online
        cycle=$(($(now) - start))
        value linux-off-and-on-hundredths $cycle
        slowest=0
        for delay in \(moments(count)); do
          apus run --no-console --quiet --cpu 3 --kernel vmlinuz --initrd initramfs \\
            --append 'quiet LAB_WORK=measure LAB_LOOPS=200 LAB_IDLE=0' < /dev/null 2> /tmp/client &
          guest=$!
          usleep $delay
          ! offline 3 || lent=$((lent + 1))
          kill -KILL $guest 2> /dev/null
          killed=$(now)
          wait $guest 2> /dev/null
          within 10 online 3 || { fail cpu-back "not within 10 s, after $delay µs"; break; }
          took=$(($(now) - killed))
          [ $took -le $slowest ] || slowest=$took
        done
        value killed-while-lent ${lent:-0}
        value slowest-return-hundredths $slowest
        expect cpu-back online 3
        expect back-within-a-second [ $slowest -le $((100 + 2 * cycle)) ]
        expect some-were-lent [ ${lent:-0} -gt 0 ]
        sleep 0.5
        as_before
        expect next-guest-runs apus run --no-console --quiet --cpu 3 --kernel off
        expect host-unhurt clean_kernel_log
        expect driver-unloads rmmod apus

        """)
    scenario.suite = suite
    scenario.machine.append = "panic_on_warn=1"
    scenario.expected = ["back-within-a-second", "memory-as-before", "next-guest-runs"]
    return scenario
  }

  /// Of the random moments; set APUS_LAB_SEED to a recorded one to have the same again.
  static let seed: UInt64 =
    ProcessInfo.processInfo.environment["APUS_LAB_SEED"].flatMap { UInt64($0) }
    ?? UInt64.random(in: 1...999_999_999)

  /// Microseconds, up to four seconds: about as long as the guest lives.
  private static func moments(_ count: Int) -> String {
    var generator = SplitMix64(state: seed)
    return (0..<count).map { _ in "\(Int.random(in: 0...4_000_000, using: &generator))" }
      .joined(separator: " ")
  }
}
