// SPDX-License-Identifier: Apache-2.0
import Figures
import Foundation

/// What `apus run --json` says of a run, as far as the lab looks at it.
struct GuestRun: Sendable, Equatable, Decodable {
  /// `powered-off` for a guest that ended as it should.
  var outcome: String
  var message: String
  var elapsedNs: Int
  /// From the guest's first instruction to the first line of its /init.
  var userSpaceNs: Int?
  var exits: Int
  var exitsByReason: [String: Int]
  var vcpus: [VirtualCPU]
  var intervals: [Interval]
  var cyclictest: Cyclictest?

  struct VirtualCPU: Sendable, Equatable, Decodable {
    var cpu: Int?
    var apicMode: String
    var interrupts: Mode
    var timer: Mode
  }

  struct Mode: Sendable, Equatable, Codable {
    /// `direct` or `emulated`.
    var mode: String
    var reason: String
  }

  /// From one mark to the next.
  struct Interval: Sendable, Equatable, Codable {
    var from: String
    var to: String
    var durationNs: Int
    var ticks: Int?
    var exits: Int
    var exitsByReason: [String: Int]

    var exitsPerTick: Double? {
      guard let ticks, ticks > 0 else { return nil }
      return Double(exits) / Double(ticks)
    }
  }

  init(json text: String) throws {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    self = try decoder.decode(GuestRun.self, from: Data(text.utf8))
  }

  var userSpaceSeconds: Double? { userSpaceNs.map(Self.seconds) }

  /// To the millisecond.
  static func seconds(_ nanoseconds: Int) -> Double {
    (Double(nanoseconds) / 1e6).rounded() / 1000
  }

  func interval(from: String, to: String) -> Interval? {
    intervals.first { $0.from == from && $0.to == to }
  }
}
