// SPDX-License-Identifier: Apache-2.0

extension Scenario {
  /// Exits for each interrupt that one CPU of a guest sends to another, under KVM and under Apus.
  static let interruptCost: Scenario = {
    var scenario = Scenario(
      name: "ipi-cost", summary: "exits per interrupt between a guest's CPUs: KVM and Apus",
      seconds: 200,
      script: """
        cd /lab/guest
        dmesg -n 4
        load kvm-amd
        load apus
        cost() {
          step "$1: two shells on two CPUs of a guest wake each other"
          timeout 90 apus run --device /dev/$1 --cpu 2-3 --kernel vmlinuz --initrd initramfs \\
            --append 'console=ttyS0 quiet tsc=reliable LAB_WORK=ipi' --json /tmp/$1.json \\
            < /dev/null > /tmp/$1 2>&1
          expect $1-powered-off [ $? = 0 ]
          expect $1-ping-pong grep -q '^ok ping-pong' /tmp/$1
          attach $1.json /tmp/$1.json
          attach $1.txt /tmp/$1
          grep 'ipi-begin → ipi-end' /tmp/$1 > /tmp/row
          # … → ipi-end  SECONDS s  INTERRUPTS  EXITS  EXITS-PER-INTERRUPT  REASONS
          read -r from arrow to seconds unit sent exits each reasons < /tmp/row
          value $1-interrupts $sent
          value $1-exits $exits
          value $1-exits-per-interrupt $each
          value $1-exits-by-reason "$reasons"
          step "$1: $exits exits for $sent interrupts, $each each: $reasons"
        }
        cost kvm
        cost apus
        expect host-unhurt clean_kernel_log

        """)
    scenario.suite = .bench
    scenario.expected = ["kvm-ping-pong", "apus-ping-pong", "host-unhurt"]
    scenario.checks = [
      .init("one-exit-per-interrupt") { report in
        guard let each = report.values["apus-exits-per-interrupt"].flatMap(Double.init) else {
          return "not measured"
        }
        // The client is asked for something now and then.
        return each <= 1.05 ? nil : "\(each) exits for each"
      }
    ]
    return scenario
  }()
}
