// SPDX-License-Identifier: Apache-2.0

extension Scenario {
  /// The host's own KVM goes on working on the CPUs that Linux kept.
  static let besideKVM: Scenario = {
    var scenario = Scenario(
      name: "beside-kvm", summary: "a guest of KVM and one of Apus at the same time", seconds: 120,
      script: """
        cd /lab/guest
        dmesg -n 4
        load kvm-amd
        load apus
        apus run --no-console --quiet --cpu 3 --kernel spin < /dev/null &
        lent=$!
        expect cpu-3-lent within 10 offline 3
        # KVM has switched SVM on for every CPU of Linux, and does so again for one that comes back.
        apus run --device /dev/kvm --cpu 1 --quiet --kernel vmlinuz --initrd initramfs \\
          --append 'console=ttyS0 quiet LAB_WORK=boot' < /dev/null
        expect kvm-guest-powered-off [ $? = 0 ]
        kill -TERM $lent
        wait $lent
        expect cpu-back online 3
        apus run --device /dev/kvm --cpu 3 --no-console --quiet --kernel spin < /dev/null &
        shared=$!
        sleep 1
        expect lent-while-kvm-runs apus run --cpu 2 --no-console --quiet --kernel off
        # Linux moves KVM's guest to another CPU.
        expect lent-from-under-kvm apus run --cpu 3 --no-console --quiet --kernel off
        expect kvm-guest-goes-on kill -TERM $shared
        wait $shared
        expect all-cpus-online [ "$(cat /sys/devices/system/cpu/online)" = 0-3 ]
        expect host-unhurt clean_kernel_log

        """)
    scenario.machine.append = "panic_on_warn=1"
    scenario.expected = ["kvm-guest-powered-off", "cpu-back", "lent-from-under-kvm"]
    return scenario
  }()
}
