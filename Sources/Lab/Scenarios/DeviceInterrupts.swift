// SPDX-License-Identifier: Apache-2.0

extension Scenario {
  static let deviceInterruptsBesideKVM = deviceInterrupts(
    "device-interrupts-kvm", remapped: true, kernel: .cloud, besideKVM: true)

  /// A disk of the machine passed through by QEMU's vfio-pci: its interrupts reach the guest's handler
  /// without an exit and without the host, whatever Linux does with them meanwhile; its registers are
  /// the guest's without an exit while the device has them; and all is Linux's again when the guest has
  /// gone.
  static func deviceInterrupts(
    _ name: String, remapped: Bool, kernel: KernelPackage, besideKVM: Bool = false
  ) -> Scenario {
    var scenario = Scenario(
      name: name,
      summary: "interrupts of an NVMe disk that a guest of QEMU's has, on \(kernel), "
        + (remapped ? "remapped" : "without remapping"),
      seconds: besideKVM ? 800 : 500,
      script: "load apus pool=2-3\n" + QEMUScript.functions
        + deviceFunctions(unsafe: !remapped)
        + "pass_on\n" + passing("apus", on: "/dev/apus") + line + killing
        + (besideKVM ? "load kvm-amd\nexits=exits\n" + passing("kvm", on: "/dev/kvm") : "")
        + homecoming)
    scenario.kernel = kernel
    scenario.suite = besideKVM ? .bench : .soak
    scenario.machine.append = "panic_on_warn=1 \(PassedDisk.words)"
    scenario.machine.memory = 1536
    scenario.machine.passedDisk = PassedDisk(remapsInterrupts: remapped)
    scenario.clients = [.qemu]
    scenario.expected =
      passingChecks("apus") + (besideKVM ? passingChecks("kvm") : []) + [
        "line-every-interrupt", "apus-all-direct", "apus-moved", "apus-hotplug", "apus-reset",
        "apus-registers", "apus-resets", "apus-reads-well",
        "cpus-come-home",
        "disk-works-at-home", "all-cpus-online",
        "module-goes", "host-unhurt", "nothing-astray",
      ]
    scenario.checks = [
      .init("none-was-forwarded") {
        $0.values["apus-forwarded"] == "0" ? nil : "\($0.values["apus-forwarded"] ?? "none")"
      }
    ]
    scenario.checks += ["still", "moving"].flatMap { round in
      [
        .init("no-interrupt-of-the-host-\(round)") {
          $0.values["apus-\(round)-host-interrupts"] == "0"
            ? nil : "\($0.values["apus-\(round)-host-interrupts"] ?? "none") interrupts of the host"
        },
        .init("no-exit-for-registers-\(round)") {
          $0.values["apus-\(round)-register-exits"] == "0"
            ? nil : "\($0.values["apus-\(round)-register-exits"] ?? "none") exits"
        },
        .init("no-exit-for-interrupts-\(round)") {
          $0.values["apus-\(round)-interrupt-exits"] == "0"
            ? nil : "\($0.values["apus-\(round)-interrupt-exits"] ?? "none") exits"
        },
      ]
    }
    return scenario
  }

  private static let homecoming = """
    give_back
    expect disk-works-at-home cmp -n 2097152 /lab/guest/vmlinuz /dev/nvme0n1
    expect all-cpus-online all_online
    expect module-goes within 10 rmmod apus
    expect host-unhurt clean_kernel_log
    # An interrupt that came to a CPU where nobody waits for it.
    expect nothing-astray sh -c '! dmesg | grep -e "No irq handler" -e "DMAR:.*fault"'

    """

  private static func passingChecks(_ guest: String) -> [String] {
    ["still", "moving"].flatMap { ["\(guest)-\($0)-begins", "\(guest)-\($0)-ends"] }
      + ["disk-read", "every-interrupt", "powered-off"].map { "\(guest)-\($0)" }
  }

  private static func deviceFunctions(unsafe: Bool) -> String {
    """
    load vfio-pci
    load vfio_iommu_type1 \(unsafe ? "allow_unsafe_interrupts=1" : "")
    disk=\(PassedDisk.address)
    all_online() { [ "$(cat /sys/devices/system/cpu/online)" = 0-3 ]; }
    pass_on() {
      echo vfio-pci > /sys/bus/pci/devices/$disk/driver_override
      echo $disk > /sys/bus/pci/devices/$disk/driver/unbind
      echo $disk > /sys/bus/pci/drivers_probe
    }
    give_back() {
      echo > /sys/bus/pci/devices/$disk/driver_override
      echo $disk > /sys/bus/pci/devices/$disk/driver/unbind
      echo $disk > /sys/bus/pci/drivers_probe
      within 10 [ -b /dev/nvme0n1 ]
    }
    # taken: how many of the disk's interrupts the host's CPUs took.
    taken() {
      awk '/vfio-msi/ { for (i = 2; $i ~ /^[0-9]+$/; i++) sum += $i } END { print sum + 0 }' \\
        /proc/interrupts
    }
    # What Linux does with interrupts of its own: irqbalance moves them, and CPUs go offline.
    disturb() {
      while [ -e /tmp/disturb ]; do
        for irq in $(awk '/vfio-msi/ { print $1 + 0 }' /proc/interrupts); do
          echo 2 > /proc/irq/$irq/smp_affinity
          usleep 1000
          echo 1 > /proc/irq/$irq/smp_affinity
          echo 2 > /proc/irq/$irq/smp_affinity
        done
        echo 0 > /sys/devices/system/cpu/cpu1/online
        usleep 20000
        echo 1 > /sys/devices/system/cpu/cpu1/online
        echo disturbed >> /tmp/disturbed
      done
    }
    with_disk() { start "$@" -M q35 -smp 2 -device vfio-pci,host=$disk; }
    # round NAME: reads of the guest's, and who was busy with their interrupts.
    round() {
      before=$(taken)
      phase $1 || { kill -9 $qemu; return; }
      value $guest-$1-host-interrupts $(($(taken) - before))
      value $guest-$1-exits $(grown $exits)
      value $guest-$1-register-exits $(($(grown page) + $(grown mmio-client)))
      [ $on = /dev/kvm ] || value $guest-$1-interrupt-exits \\
        $(($(grown kicks) + $(grown interrupt) + $(grown apic-eoi) + $(grown interrupt-window)))
    }
    # all_direct: of those that the guest uses.
    all_direct() {
      apus ps > /tmp/ways
      attach $guest-ways.txt /tmp/ways
      grep -q ' direct$' /tmp/ways && ! grep -q forwarded: /tmp/ways
    }
    # As many interrupts as requests: the guest waits for each.
    every_interrupt() { [ "$(of $1-interrupts)" = "$(of $1-interrupts 3)" ]; }
    requests=1000 exits=entries

    """
  }

  private static func passing(_ guest: String, on device: String) -> String {
    """
    guest=\(guest) on=\(device)
    step "$guest"
    # The guest reads registers that a driver of its own has, too.
    LAB="LAB_WORK=nvme LAB_REQUESTS=$requests LAB_ROUNDS=still,moving iomem=relaxed"
    with_disk $on
    round still
    [ $on = /dev/kvm ] || expect $guest-all-direct all_direct
    within 60 said 'guest: moving-begin'
    touch /tmp/disturb
    disturb &
    disturber=$!
    round moving
    # By the driver's own count; /proc/interrupts leaves out what a CPU took that is offline.
    [ $on = /dev/kvm ] || value $guest-forwarded $(apus ps | awk '/ direct$/ { sum += $6 } END { print sum }')
    rm /tmp/disturb
    wait $disturber
    value $guest-disturbed $(wc -l < /tmp/disturbed)
    within 60 said 'guest: move-end'
    echo go >&4
    within 60 said 'guest: storm'
    echo go >&4
    finish $guest
    expect $guest-disk-read [ "$(of disk-sum)" = "$(head -c 2097152 vmlinuz | md5sum | cut -d' ' -f1)" ]
    expect $guest-every-interrupt every_interrupt still
    expect $guest-moved [ "$(of moved 2 | tr '\\n' ' ')" = "1 0 1 " ]
    expect $guest-hotplug repeats 'cpu 1 was away' 3
    expect $guest-reset said 'read after reset'
    expect $guest-registers said '^registers gone 10 back 10 '
    expect $guest-resets said 'read after resets'
    expect $guest-reads-well [ $(grep -c 'bad read' /tmp/console) = 0 ]

    """
  }

  /// The same disk with an interrupt line, which Linux takes, and holds until the guest's EOI.
  private static let line = """
    step "a line"
    guest=line on=/dev/apus
    LAB="LAB_WORK=nvme LAB_REQUESTS=200 LAB_ROUNDS=line pci=nomsi"
    with_disk $on
    phase line
    within 60 said 'guest: storm'
    echo go >&4
    finish $guest
    expect line-every-interrupt every_interrupt line

    """

  /// Kills a guest in its reads, and one in its start.
  private static let killing = """
    step "killed"
    LAB="LAB_WORK=nvme LAB_REQUESTS=$requests LAB_ROUNDS=none LAB_STORM=1"
    for delay in 0.5 3 7 storm; do
      with_disk /dev/apus
      if [ $delay = storm ]; then
        within 60 said 'guest: none-begin'
        for word in 1 2 3 4; do
          echo go >&4
          sleep 1
        done
        expect storms within 60 said 'guest: storm'
        echo go >&4
        sleep 1
      else
        sleep $delay
      fi
      kill -9 $(pidof qemu-system-x86_64)
      wait $qemu
      within 10 all_online
    done
    expect cpus-come-home all_online

    """
}
