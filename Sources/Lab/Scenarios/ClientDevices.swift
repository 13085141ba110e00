// SPDX-License-Identifier: Apache-2.0

/// The devices of `apus run`: disks, a network card, sockets and random bytes.
extension Scenario {
  static let disk = disk("disk", cpu: 3, seconds: 60)

  /// The same on VT-x.
  static let diskIntel: Scenario = {
    var scenario = disk("disk-intel", cpu: 1, seconds: 900)
    scenario.summary += ", on VT-x"
    scenario.suite = .soak
    scenario.machine = HostMachine(.intel)
    scenario.machine.append = disk.machine.append
    return scenario
  }()

  /// A disk with a file system: a file each way, and what a request costs.
  private static func disk(_ name: String, cpu: Int, seconds: Int) -> Scenario {
    var scenario = Scenario(
      name: name, summary: "apus run --disk: a file system, and what a request costs",
      seconds: seconds,
      script: """
        load apus
        load loop
        cd /lab/guest
        dmesg -n 4
        step "a disk with a file of the host's"
        mkdir /mnt /tmp/files
        head -c 3000000 /dev/urandom > /tmp/files/from-host
        mkfs.ext4 -q -F -d /tmp/files /tmp/disk 24M
        host=$(md5sum < /tmp/files/from-host)
        head -c 1048576 /dev/zero > /tmp/other
        start() {
          timeout -s KILL 60 apus run --quiet --cpu \(cpu) --disk /tmp/disk --kernel vmlinuz \\
            --initrd initramfs "$@" < /dev/null
        }
        of() { tr -d '\\r' < /tmp/console | sed -n "s/^$1 //p"; }
        expect guest-runs start --disk /tmp/other,readonly --rng --json /tmp/disk.json \\
          --append "\(deviceCommandLine) LAB_WORK=disk LAB_REQUESTS=\(requests)" > /tmp/console 2>&1
        attach disk.json /tmp/disk.json
        attach guest.txt /tmp/console
        expect host-file-read [ "$(of host-sum)" = "$host" ]
        expect serial-number [ "$(of serial)" = apus-0 ]
        expect one-is-read-only [ "$(of read-only)" = "0 1" ]
        expect random-bytes [ "$(of random)" = 64 ]
        expect nothing-bad sh -c '! grep "^bad" /tmp/console'
        # What the guest wrote, read here, in a file system without a fault.
        expect file-system-clean e2fsck -fn /tmp/disk
        mount -t ext4 -o loop,ro /tmp/disk /mnt
        expect guest-file-written [ "$(of guest-sum)" = "$(md5sum < /mnt/from-guest)" ]
        umount /mnt
        step "refusals"
        refuse no-disk 'no-such-disk: No such file' apus run --cpu \(cpu) --kernel off --disk /tmp/no-such-disk
        refuse no-module 'modprobe vhost_net' apus run --cpu \(cpu) --kernel off --net tap0
        refuse no-socket-module 'modprobe vhost_vsock' apus run --cpu \(cpu) --kernel off --vsock 5
        load vhost_net
        load tun
        refuse no-interface 'ip tuntap add' apus run --cpu \(cpu) --kernel off --net tap0
        expect host-unhurt clean_kernel_log
        expect driver-unloads rmmod apus

        """)
    scenario.machine.append = "panic_on_warn=1"
    scenario.programs = ["/usr/sbin/mkfs.ext4", "/usr/sbin/e2fsck"]
    scenario.expected = [
      "guest-runs", "host-file-read", "random-bytes", "file-system-clean", "guest-file-written",
      "no-disk", "no-module", "no-socket-module", "no-interface",
      "host-unhurt", "driver-unloads",
    ]
    scenario.measure = { measurement("disk", requests: requests, in: $0) }
    scenario.checks = [
      .init("a-notification-a-request") {
        atMost(requests, "notification", of: "disk", in: $0)
      },
      .init("interrupts-without-exits") {
        atMost(0, "interrupt", of: "disk", in: $0)
          ?? atMost(0, "mmio-client", of: "disk", in: $0)
      },
    ]
    return scenario
  }

  /// A network card and sockets, which the kernel serves.
  static let clientNet: Scenario = {
    var scenario = Scenario(
      name: "net", summary: "apus run --net and --vsock: pings, and a file each way on both",
      seconds: 150,
      script: """
        load apus
        load tun
        load vhost_net
        load vhost_vsock
        cd /lab/guest
        dmesg -n 4
        tunctl -t tap0 > /dev/null
        ifconfig tap0 10.0.3.1 up
        head -c 1000000 /dev/urandom > /tmp/sent
        sent=$(md5sum < /tmp/sent)
        of() { tr -d '\\r' < /tmp/console | sed -n "s/^$1 //p"; }
        said() { grep -q "$1" /tmp/console; }
        timeout -s KILL 120 apus run --quiet --cpu 3 --net tap0 --vsock 5 --kernel vmlinuz \\
          --initrd initramfs --json /tmp/net.json \\
          --append "\(deviceCommandLine) LAB_WORK=net LAB_PINGS=\(pings)" < /dev/null > /tmp/console 2>&1 &
        guest=$!
        expect listens within 60 said 'guest: listens'
        refuse interface-in-use 'in use by another' apus run --cpu 2 --kernel off --net tap0
        refuse identifier-in-use 'another guest has' apus run --cpu 2 --kernel off --vsock 5
        expect host-pings ping -c 5 -W 2 -q 10.0.3.2
        send() { socat -u FILE:/tmp/sent TCP:10.0.3.2:5001; }
        expect sends within 10 send
        fetch() { socat -u TCP:10.0.3.2:5002 CREATE:/tmp/fetched; }
        expect fetches within 10 fetch
        expect listens-for-sockets within 30 said 'guest: listens for sockets'
        call() { socat -u FILE:/tmp/sent VSOCK-CONNECT:5:5003; }
        expect host-calls within 20 call
        timeout 60 socat -u VSOCK-LISTEN:5004 CREATE:/tmp/called
        wait $guest
        expect guest-powered-off [ $? = 0 ]
        attach guest.txt /tmp/console
        attach net.json /tmp/net.json
        expect guest-pings said '\(pings) packets transmitted, \(pings) packets received'
        expect sent-by-network [ "$(of net-sum)" = "$sent" ]
        expect fetched-by-network [ "$(md5sum < /tmp/fetched)" = "$(of made-sum)" ]
        expect sent-by-socket [ "$(of socket-sum)" = "$sent" ]
        expect called-by-guest [ "$(md5sum < /tmp/called)" = "$(of made-sum)" ]
        expect nothing-bad sh -c '! grep "^bad" /tmp/console'
        # Both are free again.
        expect next-guest apus run --quiet --no-console --cpu 3 --kernel off --net tap0 --vsock 5
        expect host-unhurt clean_kernel_log
        expect driver-unloads rmmod apus

        """)
    scenario.suite = .soak
    scenario.machine.append = "panic_on_warn=1"
    scenario.programs = ["/usr/bin/socat"]
    scenario.guestPrograms = ["/usr/bin/socat"]
    scenario.expected = [
      "listens", "interface-in-use", "identifier-in-use", "host-pings", "guest-powered-off",
      "guest-pings", "sent-by-network", "fetched-by-network", "sent-by-socket", "called-by-guest",
      "next-guest", "host-unhurt", "driver-unloads",
    ]
    scenario.measure = { measurement("net", requests: pings, in: $0) }
    scenario.checks = [
      .init("interrupts-without-exits") {
        atMost(0, "interrupt", of: "net", in: $0)
          ?? atMost(0, "mmio-client", of: "net", in: $0)
      }
    ]
    return scenario
  }()

  /// A stock Debian, as Debian's own tools make it, from power-on to a login, and to its power-off.
  static let debianRoot: Scenario = {
    var scenario = Scenario(
      name: "debian-root", summary: "a stock Debian boots from apus run --disk to a login",
      seconds: 600,
      script: """
        load apus
        load tun
        load vhost_net
        dmesg -n 4
        tunctl -t tap0 > /dev/null
        ifconfig tap0 10.0.3.1 up
        mkfifo /tmp/typed
        exec 4<>/tmp/typed
        : > /tmp/console
        said() { tr -d '\\r' < /tmp/console | grep -q "$1"; }
        # As a user would: Debian's kernel and initial RAM disk, and where its root is.
        timeout -s KILL 550 apus run --quiet --cpu 2-3 --memory 512 --disk /dev/nvme0n1 --net tap0 \\
          --rng --kernel /lab/debian/vmlinuz --initrd /lab/debian/initrd.img \\
          --append "root=/dev/vda rw console=ttyS0 \(HostMachine.emulatedClockWords)" \\
          <&4 >> /tmp/console 2>&1 &
        guest=$!
        expect kernel-finds-its-root within 200 said 'systemd\\[1\\]: .*running in system mode'
        expect login-prompt within 300 said ' login: '
        echo root >&4
        expect logged-in within 60 said 'root@.*#'
        echo 'echo cpus $(nproc), root on $(findmnt -n -o SOURCE /), card $(ls /sys/class/net | grep -v lo)' >&4
        expect as-it-should-be within 30 said 'cpus 2, root on /dev/vda, card e'
        echo 'systemctl poweroff' >&4
        wait $guest
        expect powered-off [ $? = 0 ]
        attach guest.txt /tmp/console
        expect all-cpus-online [ "$(cat /sys/devices/system/cpu/online)" = 0-3 ]
        expect host-unhurt clean_kernel_log

        """)
    scenario.suite = .soak
    scenario.machine.append = "panic_on_warn=1"
    scenario.machine.disk = DebianRoot.disk
    scenario.machine.memory = 1536
    scenario.files = [
      "/lab/debian/vmlinuz": DebianRoot.kernel, "/lab/debian/initrd.img": DebianRoot.initrd,
    ]
    scenario.expected = [
      "login-prompt", "logged-in", "as-it-should-be", "powered-off", "all-cpus-online",
      "host-unhurt",
    ]
    return scenario
  }()

  /// See `HostMachine.emulatedClockWords`.
  static let deviceCommandLine = "console=ttyS0 quiet \(HostMachine.emulatedClockWords)"
  private static let requests = 200
  private static let pings = 50

  /// The guest's exits between its marks NAME-begin and NAME-end.
  private static func interval(_ name: String, in report: Report) -> GuestRun.Interval? {
    report.text(of: "\(name).json").flatMap { try? GuestRun(json: $0) }?
      .interval(from: "\(name)-begin", to: "\(name)-end")
  }

  /// Those exits, by cause and in all.
  private static func measurement(
    _ name: String, requests: Int, in report: Report
  ) -> Measurement? {
    guard let interval = interval(name, in: report) else { return nil }
    var values = ["\(name)-requests": "\(requests)", "\(name)-exits": "\(interval.exits)"]
    for (cause, count) in interval.exitsByReason { values["\(name)-\(cause)"] = "\(count)" }
    let causes = interval.exitsByReason.filter { $0.value > 0 }.sorted { $0.value > $1.value }
      .map { "\($0.value) \($0.key)" }
    return Measurement(
      values: values,
      table: "    \(requests) requests, \(interval.exits) exits: \(causes.joined(separator: ", "))")
  }

  /// Nil if the exits of that cause between the marks of `name` were as few.
  private static func atMost(
    _ most: Int, _ cause: String, of name: String, in report: Report
  ) -> String? {
    guard let count = interval(name, in: report)?.exitsByReason[cause] else {
      return "no \(name)-\(cause)"
    }
    return count <= most ? nil : "\(name)-\(cause) is \(count), not \(most) at most"
  }
}
