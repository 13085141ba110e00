// SPDX-License-Identifier: Apache-2.0
import Logging

/// Messages for the user: `apus: text` on standard error, without a time.
struct Log: LogHandler {
  var logLevel = Logger.Level.notice
  var metadata = Logger.Metadata()

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let level = event.level >= .warning ? "\(event.level): " : ""
    Output.error("apus: \(level)\(event.message)")
  }
}
