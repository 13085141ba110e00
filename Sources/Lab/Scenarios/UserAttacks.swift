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
        expect all-cpus-online [ "$(cat /sys/devices/system/cpu/online)" = 0-3 ]
        expect host-unhurt clean_kernel_log

        """)
    scenario.machine.append = "panic_on_warn=1 oops=panic"
    scenario.files = ["bin/hostile": "build/hostile"]
    scenario.expected = ["cpu-numbers", "idle-machines", "left-timers", "host-unhurt"]
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
    attack idle-machines hostile idle-machines --uid 1000 --machines 4000
    """

  /// A driver that let them go on gave a third of a CPU to the PITs of 60 such VMs.
  private static let leftTimers = """
    step "timers of VMs without a CPU"
    attack left-timers hostile left-timers --uid 1000 --machines 20
    """
}
