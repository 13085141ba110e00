// SPDX-License-Identifier: Apache-2.0

extension Scenario {
  /// Monitors that break in one way each, and files that are none: the client is told what to do,
  /// and the CPU is Linux's again within seconds.
  static func brokenMonitors(_ name: String, modes: [BrokenMonitor], suite: Suite) -> Scenario {
    var scenario = Scenario(
      name: name, summary: "\(modes.count) broken monitors, and files that are none",
      seconds: 60 + 20 * modes.count,
      script: """
        dmesg -n 4
        cp /lib/firmware/apus/monitor /tmp/good
        firmware=/lib/firmware/apus/monitor
        printf '#!/bin/sh\\nexec apus run --no-console --quiet --cpu 3 --kernel /lab/guest/"$@"\\n' > /bin/start
        chmod +x /bin/start
        load apus
        start off < /dev/null
        remember before
        rmmod apus

        # The CPU is back when the client is, and the driver lets itself be unloaded.
        slowest=0
        aftermath() {
          took=$(($(now) - began))
          [ $took -le $slowest ] || slowest=$took
          online 3 || { fail $1-cpu-back "still offline after $took hundredths"; within 10 online 3; }
          [ $took -le $((1000 * ${slowness:-1})) ] || fail $1-soon "took $took hundredths"
          rmmod apus || fail $1-unloads
        }
        said() { dmesg | grep -q "$1"; }
        try() {
          cp /lab/monitors/$1 $firmware
          load apus any_image=1 || fail $1-loads
          began=$(now)
          refuse $1 "$2" start off
          aftermath $1
        }
        # Nobody but the user ends these.
        interrupt() {
          cp /lab/monitors/$1 $firmware
          load apus any_image=1 || fail $1-loads
          start spin < /dev/null > /tmp/out 2>&1 &
          client=$!
          within 10 offline 3 || fail $1-starts "$(tail -n 1 /tmp/out)"
          sleep 0.3
          began=$(now)
          kill -TERM $client
          wait $client
          status=$?
          [ $status = 143 ] && pass $1 || fail $1 "ended with $status: $(tail -n 1 /tmp/out)"
          aftermath $1
        }
        \(modes.map(\.command).joined(separator: "\n"))
        value slowest-hundredths $slowest
        expect machine-check-is-told said 'machine checks on CPU 3 while it was lent: 1$'

        step "a pool whose CPU is unfit"
        left_linux() { dmesg | grep -c "CPU 3 is now offline"; }
        cp /lab/monitors/unfit $firmware
        load apus any_image=1 pool=3
        printf '#!/bin/sh\\nexec apus run --no-console --quiet --kernel /lab/guest/off\\n' > /bin/start-in-pool
        chmod +x /bin/start-in-pool
        times=$(left_linux)
        refuse pool-unfit 'dmesg' start-in-pool
        refuse pool-still-unfit 'dmesg' start-in-pool
        expect pool-remembers-unfit [ $(left_linux) = $((times + 1)) ]
        echo 3 > /sys/module/apus/parameters/pool
        refuse pool-unfit-again 'dmesg' start-in-pool
        expect pool-tries-again [ $(left_linux) = $((times + 2)) ]
        rmmod apus

        step "files that are no monitor"
        reject() {
          load apus any_image=1 || fail $1-loads
          refuse $1 '/lib/firmware/apus/monitor' start off
          rmmod apus || fail $1-unloads
        }
        damage() { cp /tmp/good $firmware; printf "$2" | dd of=$firmware bs=1 seek=$1 conv=notrunc 2> /dev/null; }
        rm $firmware;                         reject missing
        : > $firmware;                        reject empty
        echo hello > $firmware;               reject text
        cp /bin/busybox $firmware;            reject another-program
        head -c 100 /tmp/good > $firmware;    reject truncated-header
        head -c 5000 /tmp/good > $firmware;   reject truncated
        head -c 70000 /dev/urandom > $firmware; reject noise
        # Offsets of the ELF header and of the first program header (System V ABI, chapters 4, 5).
        damage 4 '\\001';                      reject of-32-bits
        damage 24 '\\000\\000\\000\\000';         reject entry-nowhere
        damage 32 '\\377\\377\\377\\377\\377\\377\\377\\377'; reject headers-nowhere
        damage 56 '\\377\\377';                 reject headers-without-end
        damage 72 '\\377\\377\\377\\377\\377\\377\\377\\377'; reject segment-outside-file
        damage 80 '\\000\\000\\000\\000\\000\\200\\377\\377'; reject segment-in-the-kernel
        damage 104 '\\377\\377\\377\\377\\377\\377\\377\\177'; reject segment-too-large
        damage 68 '\\007';                     reject segment-writable-code

        step "another monitor than the driver's"
        cp /lab/monitors/unfit $firmware
        load apus
        refuse other-monitor 'from one build' start off
        refuse check-other-monitor 'one build' apus check
        expect other-monitor-is-told said 'not the monitor that this driver was built with'
        rmmod apus

        cp /tmp/good $firmware
        load apus
        expect good-one-runs start off
        expect all-cpus-online [ "$(cat /sys/devices/system/cpu/online)" = 0-3 ]
        sleep 0.5
        as_before
        expect host-unhurt clean_kernel_log

        """)
    scenario.suite = suite
    scenario.machine.append = "panic_on_warn=1 oops=panic"
    scenario.files = ["lab/monitors": "build/broken-monitors"]
    scenario.expected =
      modes.map(\.rawValue) + [
        "machine-check-is-told", "pool-remembers-unfit", "pool-tries-again", "noise",
        "other-monitor", "check-other-monitor", "other-monitor-is-told", "good-one-runs",
        "nothing-pinned",
      ]
    return scenario
  }
}

/// A way to break: a mode of Tests/BrokenMonitor.
enum BrokenMonitor: String, CaseIterable {
  case neverArrives = "never_arrives"
  case neverReady = "never_ready"
  case unfit
  case stopsEarly = "stops_early"
  case ignoresBind = "ignores_bind"
  case ignoresCalls = "ignores_calls"
  case ignoresRun = "ignores_run"
  case stops
  case ignoresPark = "ignores_park"
  case neverParks = "never_parks"

  /// What the scenario's script does with it.
  fileprivate var command: String {
    switch self {
    // These run nothing, but say nothing wrong either: the client waits for its guest.
    case .ignoresRun: "interrupt \(rawValue)"
    // Theirs, too, but a guest is said to have run and to have ended in a way unheard of.
    case .ignoresPark, .neverParks: "try \(rawValue) 'nothing handles'"
    default: "try \(rawValue) 'dmesg'"
    }
  }
}
