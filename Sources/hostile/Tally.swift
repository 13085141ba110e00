// SPDX-License-Identifier: Apache-2.0
import Glibc

/// How often each request ended how.
struct Tally {
  /// Larger numbers are the kernel's own and must never reach a process.
  static let errnoCount = 134
  private var counts: [[Int]]
  private(set) var calls = 0
  private(set) var unknown: [(name: String, errno: Int32)] = []

  init() {
    counts = Array(
      repeating: Array(repeating: 0, count: Self.errnoCount), count: Request.all.count)
  }

  /// `result` is an ioctl's, or -errno.
  mutating func note(_ request: Request, _ result: Int32) {
    calls += 1
    let number = result < 0 ? -result : 0
    if number < Self.errnoCount {
      counts[request.index][Int(number)] += 1
    } else {
      unknown.append((request.name, number))
    }
  }

  mutating func add(_ other: Tally) {
    for index in counts.indices {
      for number in counts[index].indices { counts[index][number] += other.counts[index][number] }
    }
    calls += other.calls
    unknown += other.unknown
  }

  var successes: Int { counts.reduce(0) { $0 + $1[0] } }

  /// A line for each request.
  var lines: [String] {
    Request.all.map { request in
      let cells = counts[request.index].enumerated().filter { $0.element > 0 }.map {
        "\(Self.name(of: $0.offset)) \($0.element)"
      }
      return "\(request.name): " + (cells.isEmpty ? "never" : cells.joined(separator: ", "))
    }
  }

  private static func name(of number: Int) -> String {
    switch Int32(number) {
    case 0: "ok"
    case EPERM: "EPERM"
    case ENOENT: "ENOENT"
    case EINTR: "EINTR"
    case EIO: "EIO"
    case ENXIO: "ENXIO"
    case E2BIG: "E2BIG"
    case ENOEXEC: "ENOEXEC"
    case EBADF: "EBADF"
    case EAGAIN: "EAGAIN"
    case ENOMEM: "ENOMEM"
    case EACCES: "EACCES"
    case EFAULT: "EFAULT"
    case EBUSY: "EBUSY"
    case EEXIST: "EEXIST"
    case ENODEV: "ENODEV"
    case EINVAL: "EINVAL"
    case EMFILE: "EMFILE"
    case ENOTTY: "ENOTTY"
    case ENOSPC: "ENOSPC"
    case EOPNOTSUPP: "EOPNOTSUPP"
    default: "errno \(number)"
    }
  }
}
