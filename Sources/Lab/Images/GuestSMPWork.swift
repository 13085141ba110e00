// SPDX-License-Identifier: Apache-2.0

/// What a guest with several CPUs does: shell scripts for LAB_WORK=smp, load, ipi and switch, run by the
/// guest's /init with its functions at hand.
///
/// What holds and what does not is said on the console, as `ok NAME` and `bad NAME`.
enum GuestSMPWork {
  static let scripts: [(name: String, text: String)] = [
    ("smp", smp), ("load", load), ("ipi", interrupts), ("switch", functions + switches),
  ]

  private static let functions = """
    check() { name=$1; shift; if "$@"; then echo "ok $name"; else echo "bad $name: $*"; fi; }
    cpus=/sys/devices/system/cpu
    steady() { ! dmesg | grep -i -e 'TSC unstable' -e 'clocksource.*unstable' -e 'TSC warp' \\
      -e 'WARNING: CPU' -e 'BUG:' -e 'stuck for'; }
    clock=/sys/devices/system/clocksource/clocksource0/current_clocksource
    echo "guest: CPUs $(cat $cpus/online), clock $(cat $clock)"

    """

  /// CPUs come and go, and NMIs reach them.
  private static let smp =
    functions + """
      last=$(($(nproc) - 1))
      check cpus-online [ $(nproc) = ${LAB_CPUS:-2} ]
      hotplug() {
        for round in $(seq ${LAB_ROUNDS:-5}); do
          echo 0 > $cpus/cpu$last/online && [ $(cat $cpus/cpu$last/online) = 0 ] || return 1
          echo 1 > $cpus/cpu$last/online && taskset -c $last true || return 1
        done
      }
      check cpu-hotplug hotplug
      # Each CPU but the one that asks is asked by an NMI.
      check steady-clock steady
      dmesg -c > /dev/null
      for cpu in $(seq 0 $last); do
        taskset -c $cpu sh -c 'echo l > /proc/sysrq-trigger'
      done
      pause 0.2
      dmesg > /tmp/traces
      traced() {
        for cpu in $(seq 0 $last); do
          [ $(grep -c "NMI backtrace for cpu $cpu" /tmp/traces) = $((last + 1)) ] || return 1
        done
      }
      check nmis-answered traced
      nmis() { awk '$1 == "NMI:" { for (i = 2; i <= n + 1; i++) if ($i < n - 1) exit 1 }' \\
        n=$((last + 1)) /proc/interrupts; }
      check nmis-counted nmis

      """

  /// Programs that keep every CPU and the interrupts between them busy.
  private static let load =
    functions + """
      check cpus-online [ $(nproc) = ${LAB_CPUS:-2} ]
      check hackbench-pipes hackbench -p -g 2 -l ${LAB_LOOPS:-100}
      check hackbench-sockets hackbench -T -g 2 -l ${LAB_LOOPS:-100}
      check stress-ng stress-ng --cpu $(nproc) --vm $(nproc) --vm-bytes 16M --switch $(nproc) \\
        --verify --timeout ${LAB_SECONDS:-15} --metrics-brief
      check steady-clock steady

      """

  /// Two shells, each on a CPU of its own, that wake each other: two interrupts each time.
  ///
  /// The marks count interrupts between CPUs where others count ticks.
  private static let interrupts =
    functions + """
      check cpus-online [ $(nproc) = 2 ]
      sent() {
        total=0
        while read -r name one two rest; do
          case $name in RES:|CAL:|TLB:) total=$((total + one + two)) ;; esac
        done < /proc/interrupts
      }
      note() { sent; echo "mark $1 ticks=$total" >&3; }
      taskset -p -c 0 $$ > /dev/null

      """ + pingPong("ipi", check: "ping-pong", placing: "taskset -c 1", rounds: 2000)

  /// Two shells on one CPU that wake each other, and hackbench with 40 and 200 tasks.
  ///
  /// The marks count the kernel's task switches where others count ticks. `noted` may be defined by
  /// whoever runs this on a machine of its own.
  static let switches = """
    switched() { while read -r name total rest; do [ "$name" != ctxt ] || return; done < /proc/stat; }
    type noted > /dev/null 2>&1 || noted() { echo "mark $1 ticks=$total" >&3; }
    note() { switched; noted $1; }

    """ + pingPong("two", check: "two", rounds: 3000) + """
      for groups in 1 5; do
        pause 0.2
        note hackbench-$((40 * groups))-begin
        check hackbench-$((40 * groups)) hackbench -g $groups -l ${LAB_MESSAGES:-20}
        note hackbench-$((40 * groups))-end
      done

      """

  /// Two shells that wake each other, between marks that `note` makes. `placing` is a command that runs the
  /// other one where it shall be. The text may stand in a here-document that ends with END.
  private static func pingPong(
    _ mark: String, check: String, placing: String = "", rounds: Int
  ) -> String {
    """
    mkfifo /tmp/there /tmp/back
    cat > /tmp/answer <<'ANSWER'
    exec 5</tmp/there 6>/tmp/back
    while read -r word <&5; do echo $word >&6; done
    ANSWER
    \(placing) sh /tmp/answer 3>&- &
    exec 5>/tmp/there 6</tmp/back
    pause 0.5
    note \(mark)-begin
    round=0
    while [ $round -lt ${LAB_LOOPS:-\(rounds)} ]; do
      echo x >&5
      read -r word <&6
      round=$((round + 1))
    done
    note \(mark)-end
    check \(check) [ $word = x ]
    exec 5>&-

    """
  }
}
