// SPDX-License-Identifier: Apache-2.0
import Generator
import Glibc

/// The command line.
struct Options {
  var seconds = 10
  var seed = SplitMix64.randomSeed
  var threads = 6
  /// CPUs from 0 on that are asked for: one more than there are is a good number.
  var cpus = 5
  /// The user to become before the device is opened.
  var user: UInt32?
  /// How long a child lives that has the first VMs' descriptors, whatever becomes of its parent.
  var childSeconds = 0
  var device = "/dev/apus"

  static let usage =
    "usage: hostile [--seconds N] [--seed N] [--threads N] [--cpus N] [--uid N] [--child N] "
    + "[--device PATH]"

  /// Nil if it cannot be understood.
  init?(_ arguments: [String]) {
    var rest = arguments[...]
    while let option = rest.popFirst() {
      guard let value = rest.popFirst() else { return nil }
      switch (option, UInt64(value)) {
      case ("--seconds", let number?): seconds = Int(number)
      case ("--seed", let number?): seed = number
      case ("--threads", let number?): threads = max(1, min(Int(number), 32))
      case ("--cpus", let number?): cpus = max(1, Int(number))
      case ("--uid", let number?): user = UInt32(number)
      case ("--child", let number?): childSeconds = Int(number)
      case ("--device", _): device = value
      default: return nil
      }
    }
  }
}

extension SplitMix64 {
  static var randomSeed: UInt64 { UInt64.random(in: 1...999_999_999) }
}
