// SPDX-License-Identifier: Apache-2.0
@testable import Machine

extension ExitCounts {
  /// With one cause for each name.
  static func sample(_ causes: (String, UInt64)...) -> ExitCounts {
    ExitCounts(
      total: causes.reduce(0) { $0 + $1.1 },
      byCause: Dictionary(uniqueKeysWithValues: causes.map { ($0.0, $0.1) }))
  }
}
