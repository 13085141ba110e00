// SPDX-License-Identifier: Apache-2.0

/// The shell scripts that every emulated host carries.
enum HostScripts {
  /// /init: prepares the machine, runs /lab/script, reports its status, powers off.
  static let start = """
    #!/bin/sh
    mount -t proc proc /proc
    mount -t sysfs sys /sys
    mount -t devtmpfs dev /dev
    mkdir -p /dev/pts /dev/shm
    mount -t devpts pts /dev/pts
    mount -t tmpfs tmp /tmp
    mount -t debugfs debug /sys/kernel/debug 2>/dev/null
    stty -F /dev/ttyS1 115200 raw -echo
    exec 3>/dev/ttyS1
    export PATH=/bin HOME=/root
    cd /root
    if [ -n "$LAB_INTERACTIVE" ]; then
      echo 'Leave with `poweroff -f`; . /lab/functions gives load, report and the rest.'
      setsid cttyhack sh
      echo "done 0" >&3
    else
      sh /lab/run
      echo "done $?" >&3
    fi
    # A change of its mode waits until the console has said everything.
    stty -F /dev/console -opost
    sleep 0.2
    poweroff -f

    """

  /// /lab/run: the scenario's script with the functions at hand.
  static let run = """
    . /lab/functions
    . /lab/script

    """

  /// /lab/functions: what scripts use. File descriptor 3 is the report; see `Report`.
  static let functions = """
    # load MODULE [PARAMETER=VALUE...]: insert it with all that it needs.
    load() {
      loaded=$1; shift
      while read -r module; do
        name=$(basename "$module" .ko | tr - _)
        if [ "$name" = "$(echo $loaded | tr - _)" ]; then
          [ -d "/sys/module/$name" ] || insmod "$module" "$@" || return 1
        else
          [ -d "/sys/module/$name" ] || insmod "$module" || return 1
        fi
      done < "/lab/modules/$loaded"
    }
    step() { echo "step $*" >&3; }
    value() { echo "value $*" >&3; }
    pass() { echo "pass $*" >&3; }
    fail() { echo "fail $*" >&3; }
    # expect NAME COMMAND...: a check that holds if the command succeeds.
    expect() {
      expected=$1; shift
      if "$@"; then pass "$expected"; else fail "$expected \\`$*\\` ended with $?"; fi
    }
    # refuse NAME TEXT COMMAND...: holds if the command fails, not by a signal, and says TEXT.
    refuse() {
      refused=$1 wanted=$2; shift 2
      timeout $((20 * ${slowness:-1})) "$@" > /tmp/refusal 2>&1 < /dev/null
      code=$?
      if [ $code = 0 ]; then fail "$refused \\`$*\\` succeeded"
      elif [ $code -ge 124 ]; then fail "$refused \\`$*\\` ended with $code: $(tail -n 1 /tmp/refusal)"
      elif ! grep -qi -e "$wanted" /tmp/refusal; then fail "$refused said: $(tail -n 3 /tmp/refusal | tr '\\n' ' ')"
      else pass "$refused $(head -n 1 /tmp/refusal)"; fi
    }
    # attach NAME FILE: the file travels out as it is; text only.
    attach() { sed "s/^/file $1 /" "$2" >&3; }
    # now: hundredths of a second since the start.
    now() { read -r up idle < /proc/uptime; echo ${up%.*}${up#*.}; }
    # within SECONDS COMMAND...: waits until the command succeeds. A kernel that is so many times slower has
    # so many times as long.
    within() {
      deadline=$(($(now) + $1 * 100 * ${slowness:-1})); shift
      until "$@"; do
        [ $(now) -lt $deadline ] || return 1
        usleep 20000
      done
    }
    online() { [ "$(cat /sys/devices/system/cpu/cpu$1/online)" = 1 ]; }
    offline() { [ "$(cat /sys/devices/system/cpu/cpu$1/online)" = 0 ]; }
    # remember NAME: CPUs, affinities, pinned pages and free memory, as they are.
    remember() {
      cat /sys/devices/system/cpu/online /sys/devices/system/cpu/present > /tmp/cpus-$1
      taskset -p 1 >> /tmp/cpus-$1
      grep . /proc/irq/*/smp_affinity /proc/irq/default_smp_affinity > /tmp/irqs-$1
      echo 3 > /proc/sys/vm/drop_caches
      sleep 0.3
      # Slabs with nothing in them are kept, unless asked for.
      for cache in /sys/kernel/slab/*/shrink; do echo 1 > $cache; done
      # Each CPU counts for itself for up to a second.
      echo 1 > /proc/sys/vm/stat_refresh
      # Free pages in each CPU's stock do not count as free in /proc/meminfo. What processes, the page
      # cache and slabs hold comes and goes, and Linux says how much it is; the rest is steady, and
      # what a driver takes is part of the rest.
      awk '$1 == "nr_free_pages" || $1 == "count:" { known += $2 }
        $1 == "nr_anon_pages" || $1 == "nr_file_pages" || $1 == "nr_page_table_pages" { known += $2 }
        $1 == "nr_kernel_stack" { known += $2 / 4 } /nr_slab_/ { known += $2 }
        END { print known }' /proc/zoneinfo > /tmp/pages-$1
      awk '/nr_slab_/ { slab += $2 } END { print slab }' /proc/zoneinfo > /tmp/slab-$1
      awk '$1 == "nr_foll_pin_acquired" { n += $2 } $1 == "nr_foll_pin_released" { n -= $2 }
        END { print n + 0 }' /proc/vmstat > /tmp/pinned-$1
    }
    # as_before: what `remember before` saw is the same now, but for a few pages, and some slabs with
    # what Linux itself remembers.
    as_before() {
      remember after
      expect cpus-as-before cmp /tmp/cpus-before /tmp/cpus-after
      expect irq-affinity-as-before cmp /tmp/irqs-before /tmp/irqs-after
      expect nothing-pinned cmp /tmp/pinned-before /tmp/pinned-after
      pages=$(($(cat /tmp/pages-before) - $(cat /tmp/pages-after)))
      slabs=$(($(cat /tmp/slab-after) - $(cat /tmp/slab-before)))
      value pages-gone $pages
      value slab-pages-more $slabs
      # memory_slack: so many times as much, where the kernel keeps books of its own.
      expect memory-as-before [ $pages -le $((64 * ${memory_slack:-1})) \
        -a $slabs -le $((${slabs_allowed:-256} * ${memory_slack:-1})) ]
    }
    # clean_kernel_log: nothing that a kernel writes when it is hurt.
    clean_kernel_log() {
      dmesg | grep -E 'WARNING: CPU|BUG:|Oops|Call Trace|general protection|refcount|stuck for|hung_task|blocked for more' > /tmp/hurt
      [ ! -s /tmp/hurt ] || { head -n 5 /tmp/hurt; return 1; }
    }

    """
}
