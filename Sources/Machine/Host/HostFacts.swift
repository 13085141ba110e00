// SPDX-License-Identifier: Apache-2.0
import KVM

/// All that decides whether this host can lend CPUs.
public struct HostFacts: Equatable, Sendable {
  public enum Device: Equatable, Sendable {
    case missing
    case noPermission
    /// It is there and does not answer as it should: why.
    case unusable(String)
    case open(DriverState)
  }

  public var processor: ProcessorFacts
  public var device: Device
  public var devicePath: String
  /// The module is in the kernel.
  public var isDriverLoaded: Bool
  /// /lib/firmware has the monitor's image.
  public var hasMonitorFile: Bool
  public var isKVMLoaded: Bool
  /// /sys/kernel/security/lockdown: none, integrity or confidentiality; nil without lockdown.
  public var lockdown: String?
  /// /proc/sys/kernel/modules_disabled: no module can be loaded until the next boot.
  public var areModulesDisabled: Bool
  /// Those that Linux has and those that are lent.
  public var presentCPUs: Set<Int>
  public var onlineCPUs: Set<Int>
  /// CPUs with a switch to take them offline.
  public var removableCPUs: Set<Int>

  /// CPUs that this user may have; nil: any.
  public var permittedCPUs: Set<Int>?
  /// Of each CPU the others that are threads of its core.
  public var siblings: [Int: Set<Int>]

  /// In Linux's notation.
  var cpuList: String { "\(CPUList(presentCPUs.sorted()))" }

  /// What this machine says. `files` is its /proc and /sys.
  public init(device path: String, files: HostFiles = HostFiles()) {
    processor = ProcessorFacts(files)
    devicePath = path
    device = Self.open(path)
    isDriverLoaded = files.exists("/sys/module/apus")
    hasMonitorFile = files.exists("/lib/firmware/apus/monitor")
    isKVMLoaded = files.exists("/sys/module/\(processor.vendor.module)")
    lockdown = files.text("/sys/kernel/security/lockdown").flatMap(Self.chosen)
    areModulesDisabled = files.text("/proc/sys/kernel/modules_disabled") == "1"
    var present = files.presentCPUs
    // A lent CPU is absent for Linux.
    if case .open(let state) = device { present.formUnion(state.lentCPUs) }
    presentCPUs = present
    onlineCPUs = files.onlineCPUs
    removableCPUs = files.presentCPUs.filter {
      files.exists("/sys/devices/system/cpu/cpu\($0)/online")
    }
    permittedCPUs = files.permittedCPUs
    siblings = Dictionary(
      uniqueKeysWithValues: files.onlineCPUs.map { ($0, files.siblings(of: $0)) })
  }

  /// The word in brackets: `none [integrity] confidentiality`.
  static func chosen(_ text: String) -> String? {
    guard let start = text.firstIndex(of: "["), let end = text.firstIndex(of: "]"), start < end
    else { return nil }
    return String(text[text.index(after: start)..<end])
  }

  private static func open(_ path: String) -> Device {
    do {
      let system = try System(path: path)
      guard Hypervisor(system) == .apus else { return .unusable("it is a KVM that lends no CPUs") }
      return .open(DriverState(try system.host()))
    } catch {
      switch RefusedCall(device: path, memorySize: 0).meaning(of: error) {
      case .noDevice: return .missing
      case .noPermission: return .noPermission
      default: return .unusable("\(error)")
      }
    }
  }
}
