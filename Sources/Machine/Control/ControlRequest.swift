// SPDX-License-Identifier: Apache-2.0

/// What can be asked of a running guest: a line of ASCII. The answer is a line of JSON.
enum ControlRequest: Equatable, Sendable {
  /// Who it is, and what it cost so far.
  case status
  /// Presses the power button. A second line comes at the end of the run.
  case stop
  /// Ends the run as SIGTERM does. A second line comes at the end of the run.
  case kill
  case nmi(virtualCPU: Int)
  /// Of all its vCPUs.
  case timer(TimerChoice)
  /// After the answer the connection is the console's, with what it showed before at first.
  case console
  /// After the answer the connection has `TraceBatch`es, until its other end goes.
  case trace

  /// Bytes of the longest line, without its newline.
  static let longest = 64

  init(line: [UInt8]) throws(ControlRequestError) {
    guard line.count <= Self.longest else { throw .tooLong }
    let words = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
    switch (words.first, words.count) {
    case ("status", 1): self = .status
    case ("stop", 1): self = .stop
    case ("kill", 1): self = .kill
    case ("console", 1): self = .console
    case ("trace", 1): self = .trace
    case ("nmi", 1): self = .nmi(virtualCPU: 0)
    case ("nmi", 2):
      // Digits alone: Int would take a sign.
      guard words[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
        let id = Int(words[1])
      else { throw .notANumber }
      self = .nmi(virtualCPU: id)
    case ("timer", 2):
      guard let timer = TimerChoice(rawValue: words[1]) else { throw .unknown }
      self = .timer(timer)
    default: throw .unknown
    }
  }

  var line: String {
    switch self {
    case .status: "status\n"
    case .stop: "stop\n"
    case .kill: "kill\n"
    case .nmi(let id): "nmi \(id)\n"
    case .timer(let timer): "timer \(timer.rawValue)\n"
    case .console: "console\n"
    case .trace: "trace\n"
    }
  }
}

/// A request that is none.
enum ControlRequestError: Error, Equatable, CustomStringConvertible {
  case tooLong
  case notANumber
  case unknown

  var description: String {
    switch self {
    case .tooLong: "a request has \(ControlRequest.longest) bytes at most"
    case .notANumber: "a vCPU is a number"
    case .unknown: "requests are status, stop, kill, nmi [VCPU], timer POLICY, console and trace"
    }
  }
}
