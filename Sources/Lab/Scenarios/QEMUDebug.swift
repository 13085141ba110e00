// SPDX-License-Identifier: Apache-2.0

extension Scenario {
  /// QEMU's gdb stub, spoken to in gdb's remote protocol: the same requests on KVM and on Apus, and
  /// what comes of them compared.
  static let qemuDebug: Scenario = {
    var scenario = qemu(
      "qemu-gdb", "breakpoints, steps and watchpoints of QEMU's gdb stub: KVM and Apus",
      seconds: 300,
      script: """
        load kvm-amd
        mkfifo /tmp/gdb.in /tmp/gdb.out
        exec 7<>/tmp/gdb.in 8<>/tmp/gdb.out
        # ask PACKET: the answer is in $answer. gdb's manual, appendix E.
        ask() {
          sum=$(printf %s "$1" | od -An -v -tu1 | awk '{ for (i = 1; i <= NF; i++) s += $i }
            END { printf "%02x", s % 256 }')
          printf '$%s#%s' "$1" $sum >&7
          read -r -t 30 -d '#' answer <&8 || { answer=nothing; return 1; }
          read -r -n 2 sum <&8
          answer=${answer#*\\$}
        }
        # register NUMBER: in $value, in hexadecimal, the lowest 32 bits. Of `g`, for QEMU fetches none for `p`.
        register() {
          ask g || return 1
          first=$(($1 * 16 + 1))
          value=$(printf %s $answer | cut -c$first-$((first + 7)) |
            sed 's/\\(..\\)\\(..\\)\\(..\\)\\(..\\)/\\4\\3\\2\\1/')
        }
        answers() { ask "$1"; case $answer in $2) return 0;; esac; echo "$1: $answer"; return 1; }
        attach_gdb() {
          LAB=LAB_WORK=boot
          start $1 -M q35 -S -chardev pipe,id=gdb,path=/tmp/gdb -gdb chardev:gdb
        }
        # The kernel's first instruction of 32-bit code, where its loader puts it.
        to_kernel() {
          answers Z1,100000,1 OK && answers c 'T05*' && register 16 && [ $value = 00100000 ] &&
            answers z1,100000,1 OK
        }
        trace() { # NAME DEVICE
          attach_gdb $2
          expect $1-hardware-breakpoint to_kernel
          for step in $(seq 40); do
            answers s 'T05*' || break
            register 16
            echo $value
          done > /tmp/steps-$1
          register 7
          watched=$(printf %x $((0x$value - 4)))
          answers Z2,$watched,4 OK
          answers c 'T05*'
          register 16
          echo "watch $watched $value" >> /tmp/steps-$1
          answers z2,$watched,4 OK
          attach steps-$1.txt /tmp/steps-$1
          printf '$D#44' >&7
          finish $1
          read -r -t 1 -d '#' answer <&8
          read -r -n 2 answer <&8
        }
        trace kvm /dev/kvm
        trace apus /dev/apus
        value steps $(sort -u /tmp/steps-apus | wc -l)
        expect same-steps cmp /tmp/steps-kvm /tmp/steps-apus
        # Under QEMU KVM sees no INT3 exit (it is intercepted as INT n there), so this on Apus alone.
        place=$(sed -n 30p /tmp/steps-apus)
        attach_gdb /dev/apus
        to_kernel
        software() {
          answers Z0,$place,1 OK && answers c 'T05*' && register 16 && [ $value = $place ] &&
            answers z0,$place,1 OK
        }
        expect software-breakpoint software
        printf '$D#44' >&7
        finish broken

        """)
    scenario.suite = .soak
    scenario.expected += [
      "kvm-hardware-breakpoint", "apus-hardware-breakpoint", "kvm-powered-off", "apus-powered-off",
      "same-steps", "software-breakpoint", "broken-powered-off",
    ]
    scenario.checks = [
      .init("many-places") { report in
        let steps = report.values["steps"].flatMap { Int($0) } ?? 0
        return steps >= 20 ? nil : "only \(steps) different places"
      }
    ]
    return scenario
  }()
}
