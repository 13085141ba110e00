// SPDX-License-Identifier: Apache-2.0

/// What a guest does with the PC that it runs on, for LAB_WORK=pc, button and devices: shell scripts, run
/// by the guest's /init with its functions at hand.
enum GuestPCWork {
  static let scripts: [(name: String, text: String)] = [
    ("button", button), ("pc", firmware + screen + button), ("devices", devices),
  ]

  /// Which firmware started it, and what that firmware still does for it: it keeps variables.
  private static let firmware = """
    [ -d /sys/firmware/efi ] && echo "firmware uefi" || echo "firmware bios"
    echo "cpus $(nproc)"
    if [ -d /sys/firmware/efi ]; then
      while read -r module; do insmod $module || echo "bad insmod $module"; done < /uefi/order
      variables=/sys/firmware/efi/efivars
      mount -t efivarfs efivars $variables || echo "bad mount"
      echo "variables $(ls $variables | wc -l)"
      # The first four bytes are attributes: kept, for both kinds of services. UEFI specification, 8.2.
      variable=$variables/Lab-11111111-2222-3333-4444-555555555555
      printf '\\007\\000\\000\\000kept-by-the-firmware' > $variable
      echo "variable $(tail -c +5 $variable)"
    fi

    """

  /// A text on the screen, without a cursor, which would blink.
  private static let screen = """
    printf '\\033[2J\\033[H\\033[?25l' > /dev/tty1
    for line in $(seq 20); do echo "line $line, drawn by the guest"; done > /dev/tty1
    echo "guest: has drawn"

    """

  private static let button = """
    while read -r module; do insmod $module; done < /modules/order
    # A PC has a keyboard too; Linux says which is which.
    until name=$(grep -l '^Power Button$' /sys/class/input/event*/device/name); do pause 0.1; done
    event=/dev/input/$(basename ${name%/device/name})
    until [ -c $event ]; do pause 0.1; done
    echo "guest: waiting for the power button"
    # An event of Linux's input layer: struct input_event.
    head -c 24 $event > /dev/null
    echo "guest: the power button was pressed"

    """

  /// An IDE disk, random numbers, a line each way on a port of virtio's, and a balloon.
  private static let devices = """
    while read -r module; do insmod $module || echo "bad insmod $module"; done < /devices/order
    until_there() { tries=0; until [ -e $1 ] || [ $tries = 100 ]; do tries=$((tries + 1)); pause 0.1; done; }
    until_there /dev/sda
    echo "disk-sum $(md5sum < /dev/sda)"
    echo written-by-the-guest | dd of=/dev/sda bs=4096 conv=sync,fsync 2> /dev/null
    echo "disk-model $(cat /sys/block/sda/device/model)"
    until_there /dev/hwrng
    echo "random $(head -c 64 /dev/hwrng | wc -c)"
    until port=$(grep -l '^lab$' /sys/class/virtio-ports/*/name); do pause 0.1; done
    # One opening for both: what comes between two is dropped.
    exec 5<>/dev/$(basename ${port%/name})
    echo "from the guest" >&5
    read -r -t 20 line <&5
    echo "port $line"
    echo "balloons $(ls -d /sys/bus/virtio/drivers/virtio_balloon/virtio* | wc -l)"
    echo "guest: waits for its balloon"
    read -r word
    echo "memory $(awk '$1 == "MemTotal:" { print $2 }' /proc/meminfo)"

    """
}
