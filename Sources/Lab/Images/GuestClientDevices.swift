// SPDX-License-Identifier: Apache-2.0

/// What a guest with devices of `apus run` does, for LAB_WORK=disk, writes and net: shell scripts, run by
/// the guest's /init with its functions at hand.
enum GuestClientDevices {
  static let scripts: [(name: String, text: String)] = [
    ("disk", disk), ("writes", writes), ("net", net),
  ]

  private static let devices = """
    while read -r module; do insmod $module || echo "bad insmod $module"; done < /virtio/order
    # Modules announce their devices in their own time.
    until_there() { tries=0; until [ -e $1 ] || [ $tries = 100 ]; do tries=$((tries + 1)); pause 0.1; done; }

    """

  /// /dev/vda has a file system with a file of the host's, and gets one of the guest's; /dev/vdb is read-only.
  private static let disk =
    devices + """
      until_there /dev/vda
      requests=${LAB_REQUESTS:-200}
      # The program comes from memory that it was in before: nothing but its requests shall count.
      dd if=/dev/vda of=/dev/null bs=4096 count=1 iflag=direct 2> /dev/null
      mark disk-begin
      dd if=/dev/vda of=/dev/null bs=4096 count=$requests iflag=direct 2> /dev/null
      mark disk-end
      mkdir /mnt
      mount -t ext4 /dev/vda /mnt || echo "bad mount"
      echo "host-sum $(md5sum < /mnt/from-host)"
      dd if=/dev/urandom of=/mnt/from-guest bs=64k count=64 2> /dev/null
      sync
      echo "guest-sum $(md5sum < /mnt/from-guest)"
      umount /mnt || echo "bad umount"
      echo "serial $(cat /sys/block/vda/serial)"
      echo "read-only $(cat /sys/block/vda/ro) $(cat /sys/block/vdb/ro)"
      until_there /dev/hwrng
      echo "random $(head -c 64 /dev/hwrng | wc -c)"

      """

  /// Writes and flushes, one after another, without an end.
  private static let writes =
    devices + """
      until_there /dev/vda
      echo "guest: writes"
      while :; do
        dd if=/dev/urandom of=/dev/vda bs=4096 count=16 seek=1024 conv=fsync 2> /dev/null
      done

      """

  /// A network card to the host, 10.0.3.1, and sockets: a file each way on both.
  private static let net =
    devices + """
      until_there /sys/class/net/eth0
      ifconfig eth0 10.0.3.2 up
      ping -c 2 -W 2 -q 10.0.3.1 > /dev/null
      mark net-begin
      ping -c ${LAB_PINGS:-50} -i 0.01 -q 10.0.3.1 | grep received
      mark net-end
      head -c 1000000 /dev/urandom > /tmp/made
      echo "made-sum $(md5sum < /tmp/made)"
      # The host sends, then fetches, then says that it has.
      echo "guest: listens"
      socat -u TCP-LISTEN:5001 CREATE:/tmp/got
      echo "net-sum $(md5sum < /tmp/got)"
      socat -u FILE:/tmp/made TCP-LISTEN:5002
      echo "guest: listens for sockets"
      socat -u VSOCK-LISTEN:5003 CREATE:/tmp/heard
      echo "socket-sum $(md5sum < /tmp/heard)"
      until socat -u FILE:/tmp/made VSOCK-CONNECT:2:5004; do pause 0.1; done

      """
}
