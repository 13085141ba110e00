// SPDX-License-Identifier: Apache-2.0
import Glibc

/// What of a machine makes wake-ups late, as far as Linux tells of it: before the CPU is lent.
public struct LatencySurroundings: Sendable, Encodable, Equatable {
  public struct SleepState: Sendable, Encodable, Equatable {
    public var name: String
    /// Microseconds to leave it, as the firmware says.
    public var exitLatency: Int
    public var isDisabled: Bool
  }

  public var cpu: Int
  /// This machine is a guest itself: its times are another's.
  public var isGuest: Bool
  public var governor: String?
  /// kHz.
  public var currentFrequency: Int?
  public var highestFrequency: Int?
  public var sleepStates: [SleepState]
  /// Other threads of the core that Linux has.
  public var siblings: [Int]
  /// Interrupts of devices that Linux may bring to the CPU: none while it is lent.
  public var interrupts: Int
  public var isIsolated: Bool

  /// `cpu` is online.
  public init(cpu: Int, files: HostFiles = HostFiles(), processor: ProcessorFacts? = nil) {
    self.cpu = cpu
    let directory = "/sys/devices/system/cpu/cpu\(cpu)"
    isGuest = (processor ?? ProcessorFacts(files)).isGuest
    governor = files.text("\(directory)/cpufreq/scaling_governor")
    currentFrequency = files.text("\(directory)/cpufreq/scaling_cur_freq").flatMap { Int($0) }
    highestFrequency = files.text("\(directory)/cpufreq/cpuinfo_max_freq").flatMap { Int($0) }
    sleepStates = (0..<16).compactMap { number in
      let state = "\(directory)/cpuidle/state\(number)"
      guard let name = files.text("\(state)/name") else { return nil }
      return SleepState(
        name: name, exitLatency: files.text("\(state)/latency").flatMap { Int($0) } ?? 0,
        isDisabled: files.text("\(state)/disable") != "0")
    }
    siblings = files.siblings(of: cpu).intersection(files.onlineCPUs).sorted()
    interrupts = (0..<1024).count { number in
      files.text("/proc/irq/\(number)/effective_affinity_list").flatMap { CPUList($0) }?
        .cpus.contains(cpu) ?? false
    }
    isIsolated =
      files.text("/sys/devices/system/cpu/isolated").flatMap { CPUList($0) }?.cpus.contains(cpu)
      ?? false
  }

  /// MSR_SMI_COUNT of a CPU that Linux has, by its driver `msr`: Intel's processors only, and as root. SDM vol. 4,
  /// table 2-20. Nil where it cannot be read.
  static func managementInterrupts(ofCPU cpu: Int) -> UInt64? {
    let descriptor = open("/dev/cpu/\(cpu)/msr", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var value: UInt64 = 0
    guard pread(descriptor, &value, 8, 0x34) == 8 else { return nil }
    return value & 0xffff_ffff
  }
}
