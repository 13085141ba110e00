// SPDX-License-Identifier: Apache-2.0
import Figures

extension Cyclictest {
  /// Options that every measurement has in common.
  ///
  /// The first wake-up is due at a full second, so that there is time for what a script has to say
  /// before. The half millisecond keeps wake-ups away from the kernel's own ticks, which come at
  /// full milliseconds.
  static let options = "-i 1000 -m -q -p 80 -t 1 -h 20000 --secaligned=500"

  /// The figures of a run that must have some.
  init(reportedIn lines: some Sequence<String>) throws(LabError) {
    guard let test = Cyclictest(parsing: lines) else {
      throw .malformed(file: "cyclictest's report", reason: "has no Min, Avg and Max Latencies")
    }
    self = test
  }
}
