// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// Why a guest cannot have a device, and what to do about it.
public enum VirtualDeviceError: Error, Equatable, Sendable, CustomStringConvertible {
  case disk(path: String, Errno)
  case diskInUse(path: String, isReadOnly: Bool)
  case diskEmpty(path: String)
  case notADisk(path: String)
  case noModule(path: String, module: String)
  case noTAP(name: String)
  case tap(name: String, Errno)
  case socketInUse(UInt32)
  case hostFile(path: String, Errno)
  case tooMany(limit: Int)

  /// Whether the fault lies in what was asked for, not in the host.
  var isUsage: Bool {
    switch self {
    case .disk, .diskInUse, .diskEmpty, .notADisk, .noTAP, .socketInUse, .tooMany: true
    case .noModule, .tap, .hostFile: false
    }
  }

  public var description: String {
    switch self {
    case .disk(let path, let errno): "cannot open the disk \(path): \(errno)"
    case .diskInUse(let path, let isReadOnly):
      "the disk \(path) is in use by another guest or program: end that, or use a copy"
        + (isReadOnly ? "" : "; several may have it with `--disk \(path),readonly`")
    case .diskEmpty(let path):
      "the disk \(path) has no sector of 512 bytes: make it with `truncate -s SIZE \(path)`"
    case .notADisk(let path):
      "\(path) is no disk: name a file or a block device with the disk's bytes (raw)"
    case .noModule(let path, let module):
      "there is no \(path): load the kernel's module with `modprobe \(module)`"
    case .noTAP(let name):
      "there is no TAP interface \(name): make it with `ip tuntap add dev \(name) mode tap` "
        + "and `ip link set \(name) up`"
    case .tap(let name, .resourceBusy):
      "the TAP interface \(name) is in use by another guest: make one for each"
    case .tap(let name, .invalidArgument):
      "the interface \(name) cannot be had as a TAP interface with one queue: make another one "
        + "with `ip tuntap add dev NAME mode tap`"
    case .tap(let name, let errno):
      "cannot have the TAP interface \(name): \(errno); it takes root, or an interface that was made "
        + "for this user (`ip tuntap add … user NAME`)"
    case .socketInUse(let number):
      "another guest has the context identifier \(number): name another one with --vsock"
    case .hostFile(let path, .permissionDenied):
      "no permission to open \(path): run as root, or as a member of the group that owns it"
    case .hostFile(let path, let errno): "\(path): \(errno)"
    case .tooMany(let limit): "a guest can have \(limit) of these devices at most"
    }
  }
}
