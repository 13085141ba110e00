// SPDX-License-Identifier: Apache-2.0

extension Scenario {
  /// A disk and a network of QEMU's: what a request costs in exits, and that the data is right.
  static let qemu: Scenario = {
    var scenario = qemu(
      "qemu", "QEMU's q35 with 2 CPUs, a virtio disk and a network", seconds: 300,
      script: "virtio q35 /dev/apus pci -M q35 -smp 2\n")
    scenario.expected += QEMUScript.virtioChecks("q35")
    scenario.checks = [
      // A request of the guest is one write that notifies, and its end is an interrupt.
      .init("a-notification-a-request") { between(1, 200, "q35-disk-notifications", in: $0) },
      .init("an-interrupt-a-request") { between(150, 400, "q35-disk-interrupts-sent", in: $0) },
      .init("interrupts-without-exits") { between(0, 0, "q35-disk-kicks", in: $0) },
    ]
    return scenario
  }()

  /// QEMU's machine types.
  static let qemuMachines: Scenario = {
    qemu(
      "qemu-machines", "QEMU's machine types with virtio disks and networks", seconds: 800,
      guests: [
        ("pc", "pci -M pc"), ("pc-two", "pci -M pc -smp 2"),
        ("microvm", "device -M microvm -machine kernel-irqchip=on"),
        ("xapic", "pci -M q35 -smp 2 -cpu host,-x2apic"),
      ])
  }()

  /// The interrupt controllers of a PC in QEMU, and the local APICs not: `microvm`'s default.
  static let qemuSplit: Scenario = {
    let interruptLines =
      "-global virtio-blk-pci.vectors=0 -global virtio-net-pci.vectors=0"
    var scenario = qemu(
      "qemu-split", "QEMU's machines with interrupt controllers of QEMU's", seconds: 600,
      guests: [
        ("split", "pci -M q35,kernel-irqchip=split -smp 2"),
        ("split-microvm", "device -M microvm"),
        ("split-lines", "pci -M q35,kernel-irqchip=split -smp 2 \(interruptLines)"),
        ("split-xapic", "pci -M pc,kernel-irqchip=split -cpu host,-x2apic \(interruptLines)"),
      ])
    scenario.checks = [
      .init("messages-without-exits") { between(0, 0, "split-disk-kicks", in: $0) }
    ]
    return scenario
  }()

  /// What the monitor of QEMU does to a guest, and what becomes of one whose QEMU is killed.
  static let qemuLife: Scenario = {
    var scenario = qemu(
      "qemu-life", "stop, cont, reset and SIGKILL of a guest of QEMU's", seconds: 240,
      script: """
        LAB=LAB_WORK=button
        step "reset"
        start /dev/apus -M q35 -smp 2
        expect button-waits within 60 said 'waiting for the power button'
        monitor system_reset
        expect boots-again within 60 repeats 'waiting for the power button' 2
        monitor quit
        wait $qemu
        # After QEMU has run once: what the host keeps of its files is there already.
        remember before
        step "stop and cont"
        LAB=LAB_WORK=count
        start /dev/apus -M q35
        expect counts within 60 said 'guest: line 3 '
        expect statistics-of-the-vm answers 'info stats vm' 'vcpus_with_a_cpu.*: 1'
        expect statistics-of-its-vcpu answers 'info stats vcpu' 'io_client.*: [1-9]'
        monitor stop
        sleep 0.5
        lines=$(grep -c 'guest: line' /tmp/console)
        sleep 4
        expect stands-still [ $(grep -c 'guest: line' /tmp/console) = $lines ]
        monitor cont
        expect goes-on within 20 repeats 'guest: line' $((lines + 3))
        # Each line says the guest's own time; nothing of the stop is in it.
        tr -d '\\r' < /tmp/console | sed -n 's/.*guest: line [0-9]* at \\([0-9.]*\\) s.*/\\1/p' > /tmp/times
        attach times.txt /tmp/times
        steady() { awk 'NR > 1 && $1 - last > 2.5 { bad = 1 } { last = $1 } END { exit bad }' /tmp/times; }
        expect clock-stood-still steady
        step "killed"
        monitor quit
        wait $qemu
        for delay in 0.1 0.7 1.5 2.5; do
          LAB=LAB_WORK=virtio
          start /dev/apus -M q35 -smp 2 -drive file=/dev/zero,format=raw,if=none,id=disk,readonly=on \\
            -device virtio-blk-pci,drive=disk
          sleep $delay
          killall -9 qemu-system-x86_64
          wait $qemu
        done
        within 10 all_online
        expect cpus-come-home all_online
        as_before
        step "more vCPUs than CPUs"
        LAB=LAB_WORK=boot
        start /dev/apus -M q35 -smp 3
        wait $qemu
        expect too-many-explained sh -c 'dmesg | grep -q "apus: qemu-system-x86.*all of the pool are lent"'
        echo > /sys/module/apus/parameters/pool
        start /dev/apus -M q35
        wait $qemu
        expect no-pool-explained sh -c 'dmesg | grep -q "apus: qemu-system-x86.*the pool has none"'

        """)
    scenario.suite = .soak
    scenario.expected += [
      "button-waits", "boots-again", "stands-still",
      "goes-on", "clock-stood-still", "cpus-come-home", "too-many-explained", "no-pool-explained",
    ]
    return scenario
  }()

  /// The same guest on both, by their own counters.
  static let qemuBesideKVM: Scenario = {
    var scenario = qemu(
      "qemu-exits", "exits of a virtio disk and network under QEMU: KVM and Apus", seconds: 300,
      script: """
        load kvm-amd
        exits=exits
        virtio kvm /dev/kvm pci -M q35
        exits=entries
        virtio apus /dev/apus pci -M q35

        """)
    scenario.suite = .bench
    scenario.expected += QEMUScript.virtioChecks("kvm") + QEMUScript.virtioChecks("apus")
    return scenario
  }()

  /// Guests one after another, each with a virtio disk and a network: its name, and the bus and the
  /// options of its machine.
  private static func qemu(
    _ name: String, _ summary: String, seconds: Int, guests: [(name: String, options: String)]
  ) -> Scenario {
    let script = guests.map { guest in
      let bus = guest.options.prefix { $0 != " " }
      return "virtio \(guest.name) /dev/apus \(bus)\(guest.options.dropFirst(bus.count))\n"
    }
    var scenario = qemu(name, summary, seconds: seconds, script: script.joined())
    scenario.suite = .soak
    scenario.expected += guests.flatMap { QEMUScript.virtioChecks($0.name) }
    return scenario
  }

  static func qemu(
    _ name: String, _ summary: String, seconds: Int, script: String
  ) -> Scenario {
    var scenario = Scenario(
      name: name, summary: summary, seconds: seconds,
      script: "load apus pool=2-3\n" + QEMUScript.functions + QEMUScript.virtio + """
        all_online() { [ "$(cat /sys/devices/system/cpu/online)" = 0-3 ]; }

        """ + script + """
          expect all-cpus-online all_online
          expect host-unhurt clean_kernel_log

          """)
    scenario.machine.append = "panic_on_warn=1"
    scenario.clients = [.qemu]
    scenario.expected = ["all-cpus-online", "host-unhurt"]
    return scenario
  }

  /// Nil if the report has a value of that name within the bounds.
  static func between(
    _ low: Int, _ high: Int, _ name: String, in report: Report
  ) -> String? {
    guard let value = report.values[name].flatMap({ Int($0) }) else { return "no \(name)" }
    return low...high ~= value ? nil : "\(name) is \(value), not \(low) to \(high)"
  }
}
