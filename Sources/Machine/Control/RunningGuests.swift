// SPDX-License-Identifier: Apache-2.0
import KVM

/// The guests that one user has running.
public struct RunningGuests: Sendable {
  private let directory: RuntimeDirectory

  public init(in directory: RuntimeDirectory = .standard) { self.directory = directory }

  /// One guest: its status, or why there is none.
  public struct Entry: Equatable, Sendable {
    public var name: GuestName
    public var status: GuestStatus?

    public init(name: GuestName, status: GuestStatus?) {
      self.name = name
      self.status = status
    }
  }

  public func names() throws(ControlError) -> [GuestName] {
    try ControlSocket.living(in: directory)
  }

  /// All of them, or the named one. Guests that end meanwhile are left out, those that do not
  /// answer have no status.
  public func list(_ name: String? = nil) throws(ControlError) -> [Entry] {
    let names: [GuestName]
    if let name { names = [try find(name)] } else { names = try self.names() }
    // All are asked before the first is waited for.
    let asked = names.map { name in (name, Result { () throws(ControlError) in try ask(name) }) }
    let deadline = ContinuousClock.now + ControlConnection.patience
    var entries: [Entry] = []
    for (name, result) in asked {
      do throws(ControlError) {
        let answer = try result.get().answer(before: deadline)
        guard let status = answer.status else { throw ControlError.malformedAnswer(name) }
        entries.append(Entry(name: name, status: status))
      } catch {
        switch error {
        case .justEnded: break
        case .noAnswer: entries.append(Entry(name: name, status: nil))
        default: throw error
        }
      }
    }
    if name != nil, entries.isEmpty, let name = names.first { throw .justEnded(name) }
    return entries
  }

  private func ask(_ name: GuestName) throws(ControlError) -> ControlConnection {
    let connection = try ControlConnection(name, in: directory)
    try connection.send(.status)
    return connection
  }

  private func find(_ text: String) throws(ControlError) -> GuestName {
    let known = try names()
    guard let name = GuestName(text), known.contains(name) else {
      throw .noSuchGuest(text, known: known)
    }
    return name
  }

  public func connect(to name: String) throws(ControlError) -> ControlConnection {
    try ControlConnection(find(name), in: directory)
  }

  /// How many guests the driver runs for all users; nil if it cannot be asked.
  public static func count(onDevice device: String) -> Int? {
    guard let system = try? System(path: device), Hypervisor(system) == .apus else { return nil }
    return (try? system.host()).map { Int($0.vm_count) }
  }
}

/// As the status; a guest that does not answer has its name and a state of its own.
extension RunningGuests.Entry: Encodable {
  private enum CodingKeys: CodingKey { case name, state }

  public func encode(to encoder: any Encoder) throws {
    if let status { return try status.encode(to: encoder) }
    var members = encoder.container(keyedBy: CodingKeys.self)
    try members.encode(name, forKey: .name)
    try members.encode("no-answer", forKey: .state)
  }
}
