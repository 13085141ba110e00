// SPDX-License-Identifier: Apache-2.0
import Glibc
import KVM
import SystemPackage

/// Takes a lent CPU back from a guest whose client does not: it is stopped, or stuck.
public enum CPUReclaim {
  /// Linux has the CPU again when this returns. The guest's vCPU has ended.
  public static func take(_ cpu: Int, device: String) throws(ReclaimError) {
    do {
      let system = try System(path: device)
      guard system.apusVersion > 0 else { throw ReclaimError.notApus(device: device) }
      try system.reclaim(cpu: cpu)
    } catch let error as ReclaimError {
      throw error
    } catch {
      throw ReclaimError(error, cpu: cpu, device: device)
    }
  }
}

/// Why a CPU could not be taken back.
public enum ReclaimError: Error, Equatable, CustomStringConvertible {
  case notApus(device: String)
  case notLent(cpu: Int)
  case noPermission
  case noDriver(device: String)
  case call(KVMError)

  init(_ error: any Error, cpu: Int, device: String) {
    guard let error = error as? KVMError else { preconditionFailure("\(error)") }
    switch (error.call, error.errno.rawValue) {
    case (_, EPERM), (_, EACCES): self = .noPermission
    case ("open", ENOENT), ("open", ENODEV): self = .noDriver(device: device)
    case (_, ENODEV): self = .notLent(cpu: cpu)
    default: self = .call(error)
    }
  }

  public var description: String {
    switch self {
    case .notApus(let device): "\(device) lends no CPUs: name the device of Apus"
    case .notLent(let cpu): "CPU \(cpu) is not lent: `apus check` shows those that are"
    case .noPermission: "no permission to take a CPU from a guest: run as root"
    case .noDriver(let device): "\(device) is not there: modprobe apus, as root"
    case .call(let error): "the CPU could not be taken back: \(error)"
    }
  }
}
