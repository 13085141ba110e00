// SPDX-License-Identifier: Apache-2.0
import Glibc
import HostileCalls

/// One attack that did harm once. `hostile NAME` makes it and says what came of it.
enum Attack: String, CaseIterable {
  /// Asks for CPUs of every number: the answers must tell nothing.
  case cpuNumbers = "cpu-numbers"
  /// Has many VMs without a CPU: a call to another VM must take no longer for that.
  case idleMachines = "idle-machines"
  /// Has many timers of VMs without a CPU: none of them may go on.
  case leftTimers = "left-timers"
  /// Takes all that one user may have: more must be refused, to other processes too.
  case takeAll = "take-all"
  /// Pins memory of several processes: together no more than RLIMIT_MEMLOCK.
  case pinMemory = "pin-memory"

  /// Takes a CPU and gives it back all the time: others' CPUs and cgroups must not wait for that.
  case handOvers = "hand-overs"
  /// Has each allocation of each request refused, one at a time: nothing may be lost or done by halves.
  case failedAllocations = "failed-allocations"
  /// The same with the driver's worker that hands CPUs over.
  case failedHandOvers = "failed-hand-overs"

  /// The exit status: 0, or 2 for harm that this program can see itself.
  func make(on device: Device, _ options: Options) -> Int32 {
    switch self {
    case .cpuNumbers: CPUNumbers(device: device, options: options).make()
    case .idleMachines: IdleMachines(device: device, options: options).make()
    case .leftTimers: LeftTimers(device: device, options: options).make()
    case .takeAll: TakeAll(device: device, options: options).make()
    case .pinMemory: PinMemory(device: device, options: options).make()
    case .handOvers: HandOvers(device: device, options: options).make()
    case .failedAllocations: FailedAllocations(device: device, options: options).make()
    case .failedHandOvers: FailedHandOvers(device: device, options: options).make()
    }
  }
}

/// /dev/apus, and what attacks do with it: descriptors, or -errno.
struct Device {
  let descriptor: Int32

  /// Its vCPUs have no CPU before one is asked for.
  func createMachine() -> Int32 {
    let machine = call(descriptor, HOSTILE_CREATE_VM)
    var wanted = kvm_enable_cap()
    wanted.cap = UInt32(KVM_CAP_APUS)
    wanted.args.0 = UInt64(APUS_CLIENT_NAMES_CPUS)
    if machine >= 0 { _ = call(machine, HOSTILE_ENABLE_CAP, with: &wanted) }
    return machine
  }

  func createProcessor(of machine: Int32, _ id: UInt64 = 0) -> Int32 {
    call(machine, HOSTILE_CREATE_VCPU, id)
  }

  func lend(_ cpu: UInt64, to processor: Int32) -> Int32 {
    call(processor, HOSTILE_SET_LENT_CPU, cpu)
  }

  func call(_ descriptor: Int32, _ which: Int, _ argument: UInt64 = 0) -> Int32 {
    hostile_ioctl(descriptor, hostile_number(Int32(which)), argument)
  }

  /// A call whose argument is a structure.
  func call<Value>(_ descriptor: Int32, _ which: Int, with value: inout Value) -> Int32 {
    withUnsafeMutablePointer(to: &value) {
      call(descriptor, which, UInt64(UInt(bitPattern: $0)))
    }
  }
}

/// Says it at once, for a script that waits for the line.
func say(_ line: String) {
  print(line)
  fflush(nil)
}

/// Microseconds since some moment.
func microseconds() -> Int {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return time.tv_sec * 1_000_000 + time.tv_nsec / 1000
}
