// SPDX-License-Identifier: Apache-2.0

extension Scenario {
  /// Two guests on CPUs of their own, and the commands for running guests on each of them.
  static let severalVMs: Scenario = {
    var scenario = Scenario(
      name: "several-vms", summary: "ps, top, stop, console and nmi with two guests at once",
      seconds: 120,
      script: """
        cd /lab/guest
        dmesg -n 4
        load apus
        # Once for what Linux allocates at the first time.
        apus run --no-console --quiet --cpu 3 --kernel off < /dev/null
        remember before
        listed() { apus ps | grep -q "^$1 .*/dev/apus  *$2 .* direct *direct"; }
        shows() { apus console $1 --once < /dev/null | grep -q "$2"; }
        runs() { apus ps | grep -q "^$1 .*/dev/apus  *3 .* [0-9][0-9]* s "; }
        printf '#!/bin/sh\\nexec apus run --no-console --cpu 1 --kernel /lab/guest/off "$@"\\n' > /bin/start_again
        chmod +x /bin/start_again
        start() { apus run --no-console --quiet "$@" < /dev/null 2> /tmp/client & }

        step "two guests"
        expect none apus ps
        start --name linux --cpu 2 --kernel vmlinuz --initrd initramfs \\
          --append 'console=ttyS0 loglevel=6 LAB_WORK=button'
        linux=$!
        start --name small --memory 64 --cpu 3 --kernel button
        small=$!
        expect first-waits within 40 shows linux 'waiting for the power button'
        expect first-listed within 5 listed linux 2
        apus ps > /tmp/ps
        expect second-listed grep -q '^small .*/dev/apus  *3 ' /tmp/ps
        expect nobody-else test ! "$(grep 'other clients' /tmp/ps)"
        refuse name-taken 'named linux is running' start_again --memory 64 --name linux
        attach ps.txt /tmp/ps

        step "top and nmi"
        apus top --once --interval 1 > /tmp/top
        attach top.txt /tmp/top
        expect top-counts-exits grep -q '^small *0 *3 .*io-client [1-9]' /tmp/top
        expect top-as-json sh -c 'apus top small --once --json --interval 0.2 | grep -q "\\"io-client\\" *: *[1-9]"'
        expect first-is-quiet sh -c "! grep -q '^linux .*io-client [0-9][0-9][0-9]' /tmp/top"
        expect nmi-sent apus nmi linux
        expect nmi-arrived within 5 shows linux 'NMI received for unknown reason'
        refuse no-such-vcpu 'no vCPU 1' apus nmi linux --vcpu 1
        refuse no-such-guest 'there are linux, small' apus stop third

        step "not the owner"
        mkdir -p /etc
        echo 'other:x:1000:1000::/:/bin/sh' > /etc/passwd
        refuse owner-only 'no permission' su other -c 'APUS_RUNTIME_DIR=/run/apus apus stop linux'
        expect owner-only-sees su other -c 'apus ps | grep -q "no guest"'

        step "stop"
        expect second-stopped apus stop small --timeout 10
        expect second-cpu-back online 3
        wait $small
        expect second-powered-off [ $? = 0 ]
        expect first-goes-on listed linux 2
        start --name deaf --memory 64 --cpu 3 --kernel spin
        deaf=$!
        expect third-listed within 10 runs deaf
        apus stop deaf --timeout 0.5 2> /tmp/stop
        expect deaf-goes-on [ $? = 2 ]
        expect deaf-said-why grep -q 'no driver for its power button' /tmp/stop
        expect deaf-stopped apus stop deaf --timeout 0 --force
        expect deaf-cpu-back online 3
        wait $deaf
        expect deaf-ended-like-a-signal [ $? = 143 ]
        start --name killed --memory 64 --cpu 3 --kernel spin
        killed=$!
        within 10 runs killed
        kill -KILL $killed
        wait $killed 2> /dev/null
        expect killed-not-listed sh -c '! apus ps | grep -q killed'
        expect killed-leaves-no-name apus run --name killed --no-console --quiet --cpu 3 --kernel off
        expect first-stopped apus stop linux --timeout 20
        expect first-cpu-back online 2
        wait $linux
        expect first-powered-off [ $? = 0 ]
        expect sockets-gone [ ! "$(ls /run/apus)" ]
        as_before
        expect host-unhurt clean_kernel_log

        """)
    scenario.machine.append = "panic_on_warn=1"
    scenario.expected = [
      "first-waits", "second-listed", "nmi-arrived", "second-stopped", "first-powered-off",
      "memory-as-before",
    ]
    return scenario
  }()
}
