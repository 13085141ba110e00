// SPDX-License-Identifier: Apache-2.0

/// What a guest with virtio's devices does, for LAB_WORK=virtio and journey: shell scripts, run by the
/// guest's /init with its functions at hand.
enum GuestVirtioWork {
  static let scripts: [(name: String, text: String)] = [
    ("virtio", virtio), ("journey", journey),
  ]

  private static let devices = """
    while read -r module; do insmod $module || echo "bad insmod $module"; done < /virtio/order
    tries=0
    until [ -b /dev/vda ] || [ $tries = 100 ]; do tries=$((tries + 1)); pause 0.1; done

    """

  /// A guest that is moved: in each line of its own time, of the day's, and of what it counts, a block
  /// of its disk and an echo of its network. It writes a block of its disk and one of memory in each round.
  private static let journey =
    devices + """
      ifconfig eth0 10.0.2.15
      clock=/sys/devices/system/clocksource/clocksource0/current_clocksource
      echo "guest: clock $(cat $clock)"
      dd if=/dev/urandom of=/tmp/kept bs=64k count=64 2> /dev/null
      kept=$(md5sum < /tmp/kept)
      count=0
      while :; do
        count=$((count + 1))
        read -r up rest < /proc/uptime
        disk=$(dd if=/dev/vda bs=4096 count=64 iflag=direct 2> /dev/null | md5sum)
        echo "count $count" | dd of=/dev/vda bs=4096 seek=100 conv=sync,fsync 2> /dev/null
        [ "$(md5sum < /tmp/kept)" = "$kept" ] || echo "bad memory"
        ping -c 1 -W 1 -q 10.0.2.2 > /tmp/ping && net=ok || net=lost
        echo "journey $count up $up day $(date +%s) net $net disk ${disk%% *}"
        pause 0.3
      done

      """

  /// Before and after what is counted it says so on the console, and waits there for a line: the host
  /// looks at its counters meanwhile.
  private static let virtio =
    """
    say() { echo "guest: $*"; read -r word; }
    interrupts() {
      awk -v of="$1" '$0 ~ of { for (i = 2; i <= n + 1; i++) sum += $i } END { print sum + 0 }' \
        n=$(nproc) /proc/interrupts
    }

    """ + devices + """
      echo "disk-sum $(md5sum < /dev/vda)"
      # Each past the page cache: a request of its own.
      requests=${LAB_REQUESTS:-200}
      before=$(interrupts 'virtio.*-req')
      say disk-begin
      dd if=/dev/vda of=/dev/null bs=4096 count=$requests iflag=direct 2>&1 | tail -n 1
      say disk-end
      echo "disk-interrupts $(($(interrupts 'virtio.*-req') - before)) requests $requests"
      echo written-by-the-guest | dd of=/dev/vda bs=4096 conv=sync,fsync 2> /dev/null
      if [ -d /sys/class/net/eth0 ]; then
        ifconfig eth0 10.0.2.15
        say net-begin
        ping -c ${LAB_PINGS:-50} -i 0.01 -q 10.0.2.2 | grep received
        say net-end
        tftp -g -r file -l /tmp/file 10.0.2.2 && echo "net-sum $(md5sum < /tmp/file)"
      fi

      """
}
