// SPDX-License-Identifier: Apache-2.0
import Generator
import Glibc

/// The command line.
struct Options {
  /// One attack instead of random calls.
  var attack: Attack?
  /// For which calls are made, or what an attack took is kept.
  var seconds = 10
  /// Calls after which it ends earlier; 0: it does not.
  var calls = 0
  var seed = SplitMix64.randomSeed
  var threads = 6
  /// The first number that no CPU of this machine has.
  var cpus = 4
  /// How many VMs an attack creates, or expects to be allowed.
  var machines = 100
  /// How many vCPUs, and CPUs for them, it expects to be allowed.
  var processors = 0
  var lent = 0
  /// By how many times the kernel is slower than one without detectors.
  var slowness = 1
  /// What it pins, in MiB.
  var megabytes = 6
  /// The user to become before the device is opened.
  var user: UInt32?
  /// Opened as root, before that.
  var timers: TimerList?
  /// How long a child lives that has the first VMs' descriptors, whatever becomes of its parent.
  var childSeconds = 0
  var device = "/dev/apus"

  static let usage =
    "usage: hostile [ATTACK] [--seconds N] [--calls N] [--seed N] [--threads N] [--cpus N] [--uid N] "
    + "[--machines N] [--processors N] [--lent N] [--megabytes N] [--slowness N] [--child N] [--device PATH]; attacks: "
    + Attack.allCases.map(\.rawValue).joined(separator: ", ")

  /// Nil if it cannot be understood.
  init?(_ arguments: [String]) {
    var rest = arguments[...]
    if let first = rest.first, !first.hasPrefix("-") {
      guard let named = Attack(rawValue: first) else { return nil }
      attack = named
      rest.removeFirst()
    }
    while let option = rest.popFirst() {
      guard let value = rest.popFirst() else { return nil }
      switch (option, UInt64(value)) {
      case ("--seconds", let number?): seconds = Int(number)
      case ("--calls", let number?): calls = Int(number)
      case ("--seed", let number?): seed = number
      case ("--threads", let number?): threads = max(1, min(Int(number), 32))
      case ("--cpus", let number?): cpus = max(1, Int(number))
      case ("--machines", let number?): machines = Int(number)
      case ("--processors", let number?): processors = Int(number)
      case ("--lent", let number?): lent = Int(number)
      case ("--slowness", let number?): slowness = max(1, Int(number))
      case ("--megabytes", let number?): megabytes = Int(number)
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
