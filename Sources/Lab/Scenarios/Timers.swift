// SPDX-License-Identifier: Apache-2.0

extension Scenario {
  /// A stock guest whose local APICs are emulated and real by turns, while cyclictest runs to its end in it.
  static let timers = timers(
    "timers", "the local APICs of a guest are emulated and real by turns, and no tick is lost",
    seconds: 120, suite: .check, loops: 300, guests: [("x2apic", "")])

  static let timersOften = timers(
    "timers-often", "the same for longer, in x2APIC and in xAPIC mode", seconds: 240, suite: .soak,
    loops: 5000, guests: [("x2apic", ""), ("xapic", "nox2apic")])

  /// On VT-x. Bochs takes minutes for a guest.
  static let timersIntel: Scenario = {
    var scenario = timers(
      "timers-intel", "the same on VT-x", seconds: 1800, suite: .soak, loops: 500,
      guests: [("x2apic", "")])
    let append = scenario.machine.append
    scenario.machine = HostMachine(.intel)
    scenario.machine.cpus = 4
    scenario.machine.append = append
    return scenario
  }()

  /// `guests`: a name, which is also the APIC's mode, and words for the guest's command line.
  private static func timers(
    _ name: String, _ summary: String, seconds: Int, suite: Suite, loops: Int,
    guests: [(name: String, words: String)]
  ) -> Scenario {
    var scenario = Scenario(
      name: name, summary: summary, seconds: seconds,
      script: """
        cd /lab/guest
        dmesg -n 4
        load apus
        # change NAME TIMER: counts those that were made.
        change() { apus set $1 --timer $2 > /tmp/set 2>&1 && changes=$((changes + 1)); }
        # alternate NAME WORDS: runs a guest, and gives it the one kind of APIC and the other until it ends.
        alternate() {
          changes=0
          apus run --no-console --name $1 --timer monitor --cpu 2-3 --memory 192M \\
            --kernel vmlinuz --initrd initramfs --json /tmp/$1.json \\
            --append "console=ttyS0 quiet panic=-1 tsc=reliable LAB_WORK=measure LAB_IDLE=0.2 LAB_LOOPS=\(loops) $2" \\
            > /tmp/$1.txt 2>&1 < /dev/null &
          guest=$!
          while kill -0 $guest 2> /dev/null; do
            change $1 direct
            change $1 monitor
            # Starting programs on the host's own CPUs takes the emulator most of its time.
            sleep 0.2
          done
          wait $guest
        }
        # Every wake-up of cyclictest's is counted, also one too late for its histogram.
        all_ticks() { grep -q "cyclictest: \(loops) wake-ups" /tmp/$1.txt; }
        # Of an emulated APIC there were interrupts that exited.
        was_emulated() { [ "$(sed -n 's/.*"interrupt" : \\([0-9]*\\).*/\\1/p' /tmp/$1.json | head -n 1)" -gt 100 ]; }

        """
          + guests.map { guest in
            """
            expect \(guest.name)-ends alternate \(guest.name) \(guest.words)
            grep cyclictest: /tmp/\(guest.name).txt
            step "$changes changes of \(guest.name)"
            expect \(guest.name)-changes [ "$changes" -gt 10 ]
            expect \(guest.name)-all-ticks all_ticks \(guest.name)
            expect \(guest.name)-was-emulated was_emulated \(guest.name)
            expect \(guest.name)-mode grep -q '"apic_mode" : "\(guest.name)"' /tmp/\(guest.name).json

            """
          }.joined() + "expect host-unhurt clean_kernel_log\n")
    scenario.suite = suite
    scenario.machine.append = "panic_on_warn=1"
    scenario.expected =
      guests.flatMap { guest in
        ["ends", "changes", "all-ticks", "was-emulated", "mode"].map { "\(guest.name)-\($0)" }
      } + ["host-unhurt"]
    return scenario
  }
}
