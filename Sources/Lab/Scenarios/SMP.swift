// SPDX-License-Identifier: Apache-2.0

extension Scenario {
  /// Guests with several CPUs, in both modes of the APIC.
  static let smpBoot = smp(
    "smp-boot", "2 CPUs in a guest come, go and take NMIs, in x2APIC and in xAPIC mode",
    seconds: 90, suite: .check,
    guests: [
      SMPGuest(name: "x2apic", cpus: "2-3", count: 2, work: "smp"),
      SMPGuest(name: "xapic", cpus: "2-3", count: 2, work: "smp LAB_ROUNDS=3 nox2apic"),
    ])

  /// The same programs to their end on guests of two sizes.
  static let smpLoad: Scenario = {
    var scenario = smp(
      "smp-load", "hackbench and stress-ng run to their end on 2 and on 4 CPUs of a guest",
      seconds: 400, suite: .soak,
      guests: [
        SMPGuest(name: "two", cpus: "1-2", count: 2, work: "load"),
        SMPGuest(name: "four", cpus: "1-4", count: 4, work: "load"),
      ])
    scenario.machine.cpus = 5
    scenario.machine.memory = 2048
    scenario.guestPrograms = ["/usr/bin/hackbench", "/usr/bin/stress-ng"]
    return scenario
  }()

  static let smpEight: Scenario = {
    var scenario = smp(
      "smp-eight", "a guest with 8 CPUs", seconds: 240, suite: .check,
      guests: [SMPGuest(name: "eight", cpus: "1-8", count: 8, work: "smp LAB_ROUNDS=2")])
    scenario.machine.cpus = 9
    return scenario
  }()

  /// The same on VT-x. One boot is enough: Bochs takes minutes for it.
  static let smpIntel: Scenario = {
    var scenario = smp(
      "smp-intel", "2 CPUs in a guest on VT-x come, go and take NMIs", seconds: 1800, suite: .soak,
      guests: [SMPGuest(name: "x2apic", cpus: "1-2", count: 2, work: "smp LAB_ROUNDS=2")])
    let append = scenario.machine.append
    scenario.machine = HostMachine(.intel)
    scenario.machine.cpus = 3
    scenario.machine.append = append
    return scenario
  }()

  private static func smp(
    _ name: String, _ summary: String, seconds: Int, suite: Suite, guests: [SMPGuest]
  ) -> Scenario {
    var scenario = Scenario(
      name: name, summary: summary, seconds: seconds,
      script: """
        cd /lab/guest
        dmesg -n 4
        load apus
        all=$(cat /sys/devices/system/cpu/online)

        """ + guests.map(\.script).joined() + """
          expect all-cpus-online [ "$(cat /sys/devices/system/cpu/online)" = $all ]
          expect host-unhurt clean_kernel_log

          """)
    scenario.suite = suite
    scenario.machine.append = "panic_on_warn=1"
    scenario.expected = guests.flatMap(\.expected) + ["all-cpus-online", "host-unhurt"]
    return scenario
  }
}

/// A guest with several CPUs that says `ok NAME` for what holds (see `GuestSMPWork`).
private struct SMPGuest {
  var name: String
  /// CPUs of the host, and how many they are.
  var cpus: String
  var count: Int
  /// A word of LAB_WORK, and more for the guest's command line.
  var work: String

  private var checks: [String] {
    work == "load"
      ? ["cpus-online", "hackbench-pipes", "hackbench-sockets", "stress-ng", "steady-clock"]
      : ["cpus-online", "cpu-hotplug", "steady-clock", "nmis-answered", "nmis-counted"]
  }

  /// As on the host (see `HostMachine`): no emulated CPU claims the invariant counter without which
  /// Linux gives the TSC up wherever there are several CPUs.
  private let commandLine = "console=ttyS0 quiet panic=-1 tsc=reliable"

  private var mode: String { work.contains("nox2apic") ? "xapic" : "x2apic" }

  var expected: [String] {
    (checks + ["powered-off", "apic-modes"]).map { "\(name)-\($0)" }
  }

  var script: String {
    """
    step "a guest on CPUs \(cpus)"
    timeout 180 apus run --cpu \(cpus) --memory 256 --kernel vmlinuz --initrd initramfs \\
      --append '\(commandLine) LAB_CPUS=\(count) LAB_WORK=\(work)' \\
      < /dev/null > /tmp/\(name) 2>&1
    status=$?
    tr -d '\\r' < /tmp/\(name) > /tmp/\(name).txt
    expect \(name)-powered-off [ $status = 0 ]
    for check in \(checks.joined(separator: " ")); do
      if grep -q "^ok $check" /tmp/\(name).txt; then pass \(name)-$check
      else fail \(name)-$check "$(grep "^bad $check" /tmp/\(name).txt)"; fi
    done
    expect \(name)-apic-modes [ "$(grep -c 'APIC mode \(mode)$' /tmp/\(name).txt)" = \(count) ]
    attach \(name).txt /tmp/\(name).txt

    """
  }
}
