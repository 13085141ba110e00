// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// Why a running guest cannot be reached, or not be made reachable, and what to do about it.
public enum ControlError: Error, Equatable, Sendable, CustomStringConvertible {
  case directory(path: String, Errno)
  /// Others than this user could enter it.
  case directoryNotPrivate(path: String)
  case pathTooLong(path: String)
  case nameTaken(GuestName)
  case socket(path: String, Errno)
  case noSuchGuest(String, known: [GuestName])
  case notPermitted(path: String)
  case justEnded(GuestName)
  case noAnswer(GuestName)
  /// What the guest's process said.
  case refused(GuestName, String)
  case malformedAnswer(GuestName)

  /// Whether the fault lies in what was asked for.
  public var isUsage: Bool {
    switch self {
    case .pathTooLong, .nameTaken, .noSuchGuest, .refused: true
    case .directory, .directoryNotPrivate, .socket, .notPermitted, .justEnded, .noAnswer,
      .malformedAnswer:
      false
    }
  }

  public var description: String {
    switch self {
    case .directory(let path, let errno):
      "cannot use \(path) for control sockets: \(errno); name another one with "
        + "\(RuntimeDirectory.variable)"
    case .directoryNotPrivate(let path):
      "\(path) must be this user's and nobody else's, for whoever enters it controls guests: "
        + "`chmod 700 \(path)` as its owner, or name another one with \(RuntimeDirectory.variable)"
    case .pathTooLong(let path):
      "\(path) is too long for a socket: use a shorter name, or a shorter directory in "
        + RuntimeDirectory.variable
    case .nameTaken(let name):
      "a guest named \(name) is running already: use another --name, or `apus stop \(name)`"
    case .socket(let path, let errno): "no socket at \(path): \(errno)"
    case .noSuchGuest(let name, let known):
      known.isEmpty
        ? "no guest named \(name) is running, nor any other of this user's"
        : "no guest named \(name) is running; there \(known.count == 1 ? "is" : "are") "
          + known.map(\.description).joined(separator: ", ")
    case .notPermitted(let path):
      "no permission to enter \(path): guests obey the user who started them; run as that user"
    case .justEnded(let name): "\(name) has just ended"
    case .noAnswer(let name):
      "\(name) does not answer: its process may be stopped or busy ending; see `ps` and try again"
    case .refused(let name, let reason): "\(name): \(reason)"
    case .malformedAnswer(let name):
      "\(name) answers in a way that this program does not understand: use the `apus` that runs it"
    }
  }
}
