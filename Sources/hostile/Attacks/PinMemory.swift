// SPDX-License-Identifier: Apache-2.0
import Glibc
import HostileCalls

/// Has memory pinned for a VM and keeps it for `--seconds`.
struct PinMemory {
  let device: Device
  let options: Options

  func make() -> Int32 {
    let size = options.megabytes << 20
    let memory = mmap(
      nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
    guard let memory, memory != MAP_FAILED else {
      say("no memory")
      return 1
    }
    var region = kvm_userspace_memory_region()
    region.memory_size = UInt64(size)
    region.userspace_addr = UInt64(UInt(bitPattern: memory))
    let result = device.call(device.createMachine(), HOSTILE_SET_MEMORY, with: &region)
    guard result >= 0 else {
      say("\(options.megabytes) MiB are refused: errno \(-result)")
      return 1
    }
    say("\(options.megabytes) MiB are pinned")
    sleep(UInt32(options.seconds))
    return 0
  }
}
