// SPDX-License-Identifier: Apache-2.0
import HostileCalls

/// An ioctl, as linux/kvm.h or apus.h names it.
struct Request: Sendable {
  var name: String
  var number: UInt32
  var argument: Argument
  /// Its line of the histogram.
  var index: Int

  enum Argument: Sendable {
    /// A number, or nothing.
    case number
    /// A pointer to a structure of fixed size.
    case pointer
    /// A pointer to a count and what it counts.
    case table
  }

  /// Bytes of the fixed part, as the request's number says (asm-generic/ioctl.h).
  var size: Int { Int(number >> 16 & 0x3fff) }

  static let device = list(hostile_device_requests, from: 0)
  static let machine = list(hostile_machine_requests, from: device.count)
  static let processor = list(
    hostile_processor_requests, from: device.count + machine.count)
  /// Numbers that are no request at all.
  static let other = Request(
    name: "(other requests)", number: 0, argument: .pointer,
    index: device.count + machine.count + processor.count)

  /// By their index.
  static var all: [Request] { device + machine + processor + [other] }

  private static func list(_ requests: hostile_requests, from index: Int) -> [Request] {
    UnsafeBufferPointer(start: requests.first, count: requests.count).enumerated().map {
      let argument: Argument =
        switch $1.argument {
        case HOSTILE_NUMBER: .number
        case HOSTILE_POINTER: .pointer
        default: .table
        }
      return Request(
        name: String(cString: $1.name), number: $1.number, argument: argument, index: index + $0)
    }
  }
}
