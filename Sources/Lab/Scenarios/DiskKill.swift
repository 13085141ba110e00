// SPDX-License-Identifier: Apache-2.0

extension Scenario {
  /// Whose the disk of a guest is while it writes, and `kill -9` of the client in the midst of that: the CPU
  /// comes back, and nobody has the disk.
  static let diskKill: Scenario = {
    var scenario = Scenario(
      name: "disk-kill", summary: "5 × kill -9 of a client in the midst of writes to its disk",
      seconds: 180,
      script: """
        load apus
        cd /lab/guest
        dmesg -n 4
        head -c 8388608 /dev/zero > /tmp/disk
        apus run --no-console --quiet --cpu 3 --kernel off --disk /tmp/disk
        remember before
        writing() { grep -q 'guest: writes' /tmp/writing; }
        for delay in 0.1 0.4 0.9 1.3 2; do
          : > /tmp/writing
          apus run --quiet --cpu 3 --disk /tmp/disk --kernel vmlinuz --initrd initramfs \\
            --append "\(deviceCommandLine) LAB_WORK=writes" < /dev/null > /tmp/writing 2>&1 &
          guest=$!
          expect writes within 30 writing
          refuse disk-in-use 'in use by another' \\
            apus run --cpu 2 --kernel off --disk /tmp/disk
          refuse reader-refused 'in use by another' \\
            apus run --cpu 2 --kernel off --disk /tmp/disk,readonly
          sleep $delay
          kill -KILL $guest
          wait $guest 2> /dev/null
          expect cpu-back within 10 online 3
          expect disk-free apus run --quiet --no-console --cpu 3 --kernel off --disk /tmp/disk
        done
        # The guest writes from 4 MiB on.
        expect written sh -c '! tail -c 4194304 /tmp/disk | cmp -s -n 65536 - /dev/zero'
        expect rest-untouched cmp -n 4194304 /tmp/disk /dev/zero
        rm /tmp/writing
        sleep 0.5
        as_before
        expect host-unhurt clean_kernel_log
        expect driver-unloads rmmod apus

        """)
    scenario.suite = .soak
    scenario.machine.append = "panic_on_warn=1"
    scenario.expected = [
      "writes", "disk-in-use", "reader-refused", "cpu-back", "disk-free", "written",
      "rest-untouched", "memory-as-before", "nothing-pinned", "host-unhurt", "driver-unloads",
    ]
    return scenario
  }()
}
