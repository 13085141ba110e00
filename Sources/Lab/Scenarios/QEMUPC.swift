// SPDX-License-Identifier: Apache-2.0

extension Scenario {
  /// What QEMU's monitor and its screen do with a guest: the same on KVM and on Apus, compared.
  static let qemuMonitor: Scenario = {
    let devices = ["kvm", "apus"]
    var scenario = qemu(
      "qemu-monitor",
      "power button, NMI, core dump, registers and screen of a guest of QEMU's: KVM and Apus",
      seconds: 400,
      script: QEMUScript.pc + """
        load kvm-amd
        # registers DEVICE: those that are the same whenever a kernel without random addresses is idle.
        registers() {
          answers 'info registers -a' 'EFER=' || return 1
          tr -d '\\r' < /tmp/answers > /tmp/all-registers-$1
          grep -o -E '^(CS|LDT|TR|GDT|IDT) ?=.*|CR0=[0-9a-f]*|CR4=[0-9a-f]*|EFER=.*' \\
            /tmp/all-registers-$1 > /tmp/registers-$1
          attach registers-$1.txt /tmp/registers-$1
          [ $(grep -c EFER /tmp/registers-$1) = 2 ]
        }
        # dump DEVICE: a core file of all memory, with the registers of both CPUs.
        dump() {
          monitor dump-guest-memory /tmp/core
          within 60 answers 'info status' 'running' || return 1
          readelf -h -l -n /tmp/core > /tmp/elf-$1
          attach elf-$1.txt /tmp/elf-$1
          value $1-core-bytes $(stat -c %s /tmp/core)
          grep -q 'Type:.*CORE' /tmp/elf-$1 && [ $(grep -c NT_PRSTATUS /tmp/elf-$1) = 2 ] &&
            [ $(stat -c %s /tmp/core) -gt $((128 << 20)) ] && grep -q 'drawn by the guest' /tmp/core
        }
        watch() { # DEVICE
          LAB="LAB_WORK=pc nokaslr"
          start /dev/$1 -M pc -smp 2 -vga std
          expect $1-waits within 120 said 'waiting for the power button'
          expect $1-registers registers $1
          expect $1-screen screen $1
          value $1-screen-bytes $(lit $1)
          expect $1-dump dump $1
          rm -f /tmp/core
          monitor nmi
          expect $1-nmi within 20 said 'NMI received for unknown reason'
          monitor stop
          expect $1-stops within 20 answers 'info status' 'paused'
          monitor cont
          monitor system_powerdown
          expect $1-button within 30 said 'the power button was pressed'
          finish $1
        }
        for device in kvm apus; do watch $device; done
        expect same-registers cmp /tmp/registers-kvm /tmp/registers-apus
        expect same-screen cmp /tmp/screen-kvm /tmp/screen-apus

        """)
    scenario.suite = .soak
    scenario.programs = ["/usr/bin/readelf"]
    scenario.expected += devices.flatMap { device in
      ["waits", "registers", "screen", "dump", "nmi", "stops", "button", "powered-off"]
        .map { "\(device)-\($0)" }
    }
    scenario.expected += ["same-registers", "same-screen"]
    scenario.checks = devices.map { device in
      // Twenty lines of some thirty characters, of a dozen pixels each, of three bytes.
      .init("\(device)-has-drawn") {
        between(20_000, 200_000, "\(device)-screen-bytes", in: $0)
      }
    }
    return scenario
  }()

  /// UEFI starts a guest with two CPUs. On Apus alone: with KVM's guest QEMU's emulation of the host
  /// fails an assertion of its own, each time.
  static let qemuUEFI: Scenario = {
    var scenario = qemu(
      "qemu-uefi", "OVMF starts a guest of QEMU's, and keeps its variables", seconds: 500,
      script: QEMUScript.pc + """
        cp /usr/share/OVMF/OVMF_VARS_4M.fd /tmp/variables
        limit=400 LAB=LAB_WORK=pc
        start /dev/apus -M q35 -smp 2 -m 256 \\
          -drive if=pflash,format=raw,readonly=on,file=/usr/share/OVMF/OVMF_CODE_4M.fd \\
          -drive if=pflash,format=raw,file=/tmp/variables
        expect waits within 380 said 'waiting for the power button'
        monitor system_powerdown
        finish uefi
        expect by-uefi said '^firmware uefi'
        expect both-cpus said '^cpus 2'
        expect variable-read said '^variable kept-by-the-firmware'
        expect variable-in-flash grep -q kept-by-the-firmware /tmp/variables

        """)
    scenario.suite = .soak
    scenario.expected += [
      "waits", "uefi-powered-off", "by-uefi", "both-cpus", "variable-read", "variable-in-flash",
    ]
    return scenario
  }()

  /// Devices that a PC of QEMU's has beside a virtio disk and network.
  static let qemuDevices: Scenario = {
    let devices = ["kvm", "apus"]
    var scenario = qemu(
      "qemu-devices", "an IDE disk, virtio's random numbers, serial port and balloon: KVM and Apus",
      seconds: 300,
      script: """
        load kvm-amd
        mkfifo /tmp/port.in /tmp/port.out
        exec 7<>/tmp/port.in 8<>/tmp/port.out
        all() { # DEVICE
          head -c 2097152 /dev/urandom > /tmp/disk
          sum=$(md5sum < /tmp/disk)
          LAB=LAB_WORK=devices
          echo "from the host" >&7
          start /dev/$1 -M pc -smp 2 -drive file=/tmp/disk,format=raw,if=ide -device virtio-rng-pci \\
            -chardev pipe,id=port,path=/tmp/port -device virtio-serial-pci \\
            -device virtserialport,chardev=port,name=lab -device virtio-balloon-pci
          expect $1-begins within 120 said 'waits for its balloon'
          balloon $1
          echo go >&4
          finish $1
          expect $1-disk-read [ "$(of disk-sum)" = "${sum%% *}" ]
          expect $1-disk-is-ide said '^disk-model QEMU HARDDISK'
          expect $1-disk-written grep -q written-by-the-guest /tmp/disk
          expect $1-random [ "$(of random)" = 64 ]
          expect $1-port-read said '^port from the host'
          read -r -t 5 line <&8
          expect $1-port-written [ "$line" = "from the guest" ]
          expect $1-has-a-balloon [ "$(of balloons)" = 1 ]
          expect $1-nothing-bad sh -c '! grep "^bad" /tmp/console'
          value $1-memory $(of memory)
        }
        # With KVM the guest gives what it can spare back. On Apus memory is pinned, and QEMU says so.
        balloon() {
          if [ $1 = kvm ]; then
            monitor balloon 112
            expect kvm-balloon within 30 answers 'info balloon' 'actual=112'
          else
            expect apus-balloon answers 'balloon 112' 'without synchronous MMU, balloon unavailable'
          fi
        }
        for device in kvm apus; do all $device; done

        """)
    scenario.suite = .soak
    scenario.expected += devices.flatMap { device in
      [
        "begins", "balloon", "powered-off", "disk-read", "disk-is-ide", "disk-written", "random",
        "port-read", "port-written", "has-a-balloon", "nothing-bad",
      ].map { "\(device)-\($0)" }
    }
    return scenario
  }()
}

extension QEMUScript {
  /// The screen of a guest of LAB_WORK=pc.
  fileprivate static let pc = """
    # screen NAME: what QEMU shows, as a file of binary pixels, in /tmp/screen-NAME. Its first line is P6.
    screen() {
      monitor screendump /tmp/screen-$1
      complete() { [ "$(head -c 2 /tmp/screen-$1)" = P6 ] && answers 'info status' 'running'; }
      within 20 complete $1
    }
    # lit NAME: bytes of pixels that are not black, past a header of 15 bytes.
    lit() { tail -c +16 /tmp/screen-$1 | tr -d '\\000' | wc -c; }

    """
}
