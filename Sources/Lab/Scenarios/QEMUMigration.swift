// SPDX-License-Identifier: Apache-2.0

extension Scenario {
  /// Snapshots of a running guest, taken and put back.
  static let qemuSnapshot: Scenario = {
    var scenario = qemu(
      "qemu-snapshot", "savevm and loadvm of a guest with a disk and a network", seconds: 300,
      script: QEMUScript.journey + """
        # A disk that can hold snapshots lies over the one with the data.
        travel /dev/apus -M q35 -smp 2
        expect guest-counts within 90 reaches 3
        monitor snapshot_blkdev disk /tmp/over.qcow2 qcow2
        monitor stop
        sleep 0.5
        monitor savevm first
        expect saved within 60 answers 'info snapshots' ' first '
        cp /tmp/console /tmp/saved
        saved=$(last_count)
        monitor cont
        expect goes-on-after-savevm within 30 reaches $((saved + 3))
        steady after-savevm
        cp /tmp/saved /tmp/earlier
        for round in 1 2 3; do
          monitor stop
          sleep 10
          : > /tmp/console
          monitor loadvm first
          monitor cont
          expect back-$round within 60 reaches $((saved + 4))
          steady back-$round
        done
        monitor quit
        wait $qemu
        # A new process, which has nothing but the disk.
        disk=file=/tmp/over.qcow2,format=qcow2
        travel /dev/apus -M q35 -smp 2 -loadvm first
        monitor cont
        expect back-in-a-new-process within 60 reaches $((saved + 4))
        steady new-process
        monitor quit
        wait $qemu

        """)
    scenario.suite = .soak
    scenario.expected += [
      "goes-on-after-savevm", "back-3", "back-in-a-new-process", "new-process-steady",
    ]
    return scenario
  }()

  /// One guest, two hypervisors: what one saves is all that the other needs.
  static let qemuMigration: Scenario = {
    let journeys = [("apus", ["apus", "kvm", "apus"]), ("kvm", ["apus", "kvm", "apus"])]
    var scenario = qemu(
      "qemu-migration", "a guest goes to a file and on in another process, on KVM and Apus",
      seconds: 600,
      script: "load kvm-amd\n" + QEMUScript.journey
        + journeys.map { "journey \($0) '\($1.joined(separator: " "))' -M q35 -smp 2\n" }.joined())
    scenario.suite = .soak
    scenario.expected += journeys.flatMap { first, stations in
      stations.enumerated().map { "\(first)-\($0 + 1)-on-\($1)-steady" }
    }
    return scenario
  }()
}

extension QEMUScript {
  /// Guests of LAB_WORK=journey, and what is to be seen of them on their console.
  fileprivate static let journey = """
    head -c 2097152 /dev/urandom > /tmp/disk
    LAB=LAB_WORK=journey
    disk=file=/tmp/disk,format=raw
    : > /tmp/earlier
    # travel DEVICE ARGUMENT...: starts a guest, or what receives one.
    travel() {
      on=$1; shift
      start $on "$@" -drive $disk,if=none,id=disk -device virtio-blk-pci,drive=disk \\
        -netdev user,id=net -device virtio-net-pci,netdev=net,romfile=
    }
    counts() {
      cat /tmp/earlier /tmp/console | tr -d '\\r' | grep -E '^journey .* disk [0-9a-f]{32}$' > /tmp/counts
    }
    last_count() { counts; tail -n 1 /tmp/counts | cut -d' ' -f2; }
    reaches() { [ "$(last_count)" -ge $1 ] 2> /dev/null; }
    # steady NAME: no line is left out; none is far from the one before by the guest's clock, by the day's or
    # in what it read; and its network is alive. A round takes seconds where the machine is busy; a stop in
    # these scenarios is longer, and must not be seen.
    steady() {
      counts
      attach $1.txt /tmp/counts
      awk 'NR > 1 && ($2 != count + 1 || $4 < up || $4 - up > 9 || $6 < day || $6 - day > 10) { bad = 1 }
        NR > 1 && $10 != disk || $8 != "ok" || NF != 10 { bad = 1 }
        { count = $2; up = $4; day = $6; disk = $10 } END { exit bad || NR < 5 }' /tmp/counts
      expect $1-steady [ $? = 0 ]
      expect $1-without-complaints sh -c '! grep -E "bad|BUG|stuck|unstable" /tmp/console'
    }
    # journey FIRST STATIONS ARGUMENT...: a guest that begins on one device goes on at others.
    journey() {
      first=$1 stations=$2; shift 2
      step "from $first by $stations"
      : > /tmp/earlier
      travel /dev/$first "$@"
      expect $first-counts within 90 reaches 3
      number=0
      for station in $stations; do
        number=$((number + 1))
        leg=$first-$number-on-$station
        monitor migrate file:/tmp/state
        expect $leg-saved within 60 answers 'info status' 'paused (postmigrate)'
        cat /tmp/console >> /tmp/earlier
        count=$(last_count)
        monitor quit
        wait $qemu
        sleep 10
        travel /dev/$station "$@" -incoming file:/tmp/state
        expect $leg-goes-on within 60 reaches $((count + 4))
        steady $leg
        attach $leg-said.txt /tmp/said
        attach $leg-console.txt /tmp/console
      done
      monitor quit
      wait $qemu
    }

    """
}
