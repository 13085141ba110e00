// SPDX-License-Identifier: Apache-2.0
import Glibc
import Testing

@testable import Machine

@Suite("A guest with a control socket", .timeLimit(.minutes(2)))
struct ControlServerTests {
  private let temporary = TemporaryDirectory()
  private let guest = PretendedGuest()

  private var guests: RunningGuests { RunningGuests(in: temporary.runtime) }

  private func server(_ name: GuestName = "one") throws -> ControlServer {
    let image = try LinuxImage(KernelFile().bytes)
    let loader = try BootLoader(image: image, commandLine: "", initrd: [], memorySize: 64 << 20)
    let configuration = GuestConfiguration(
      device: "/dev/apus", cpus: [2, 3], memorySize: 64 << 20, loader: loader, console: false)
    return try ControlServer(name, in: temporary.runtime, for: configuration)
  }

  @Test("says who it is before it starts, while it runs and while it ends")
  func status() throws {
    let server = try server()
    let starting = try #require(try guests.list().first?.status)
    #expect(starting.state == .starting)
    #expect(starting.cpus == [2, 3])
    server.attach(guest)
    let running = try #require(try guests.list("one").first?.status)
    #expect(running.state == .running)
    #expect(running.pid == getpid())
    #expect(running.uptime == .seconds(5))
    #expect(running.virtualCPUs == guest.virtualCPUStatus())
    #expect(running.exits.total == 7)
    server.detach()
    #expect(try guests.list().first?.status?.state == .ending)
    server.close(nil)
    server.close(nil)
  }

  @Test("leaves no name behind")
  func close() throws {
    try server().close(.poweredOff)
    #expect(try guests.list().isEmpty)
  }

  @Test("takes an NMI for a vCPU that it has")
  func nmi() throws {
    let server = try server()
    server.attach(guest)
    try guests.connect(to: "one").sendNMI(virtualCPU: 1)
    #expect(guest.asked == ["nmi 1"])
    #expect(throws: ControlError.refused("one", "it has no vCPU 2: the last one is 1")) {
      try guests.connect(to: "one").sendNMI(virtualCPU: 2)
    }
    server.close(nil)
  }

  @Test("is asked to stop, is made to, and its end is told after it has gone")
  func stop() throws {
    let server = try server()
    server.attach(guest)
    let stop = GuestStop(try guests.connect(to: "one"))
    #expect(try stop.pressButton(patience: .milliseconds(20)) == .goesOn(isListening: false))
    #expect(try stop.force(patience: .milliseconds(20)) == .goesOn(isListening: true))
    #expect(guest.comesToBeAsked(["button", "end"]))
    server.detach()
    server.close(.signal(SIGTERM))
    let end = GuestEnd(.signal(SIGTERM))
    #expect(try stop.end(within: .seconds(5)) == .ended(end))
  }

  @Test("that is starting is stopped once it has started, and takes no NMI yet")
  func starting() throws {
    let server = try server()
    #expect(throws: ControlError.refused("one", "it is starting")) {
      try guests.connect(to: "one").sendNMI(virtualCPU: 0)
    }
    let stop = GuestStop(try guests.connect(to: "one"))
    #expect(try stop.pressButton(patience: .milliseconds(20)) == .goesOn(isListening: true))
    #expect(try stop.force(patience: .milliseconds(20)) == .goesOn(isListening: true))
    server.attach(guest)
    #expect(guest.comesToBeAsked(["button", "end"]))
    server.close(nil)
  }

  @Test("that is ending tells its end to who asks for it now")
  func ending() throws {
    let server = try server()
    server.attach(guest)
    server.detach()
    let stop = GuestStop(try guests.connect(to: "one"))
    #expect(try stop.pressButton(patience: .milliseconds(20)) == .goesOn(isListening: true))
    server.close(.poweredOff)
    let end = GuestEnd(.poweredOff)
    #expect(try stop.end(within: .seconds(5)) == .ended(end))
  }

  @Test("shows its console's past, and several readers its present; all of them may type")
  func console() throws {
    let server = try server()
    server.attach(guest)
    guest.consoleLog.append(Array("before ".utf8))
    #expect(
      try AttachedConsole(guests.connect(to: "one")).scrollback() == Array("before ".utf8))
    let readers = try (0..<2).map { _ in try guests.connect(to: "one") }
    for reader in readers {
      _ = try reader.answer(to: .console)
      send(reader.descriptor, "x", 1, 0)
    }
    guest.consoleLog.append(Array("after".utf8))
    for reader in readers { #expect(text(of: reader, count: 12) == "before after") }
    while guest.typed.count < 2 { usleep(1000) }
    #expect(guest.typed == Array("xx".utf8))
    guest.consoleLog.append(Array(" the end".utf8))
    server.close(.poweredOff)
    for reader in readers { #expect(text(of: reader, count: 99) == " the end") }
  }

  /// `count` bytes, or all until the end.
  private func text(of connection: ControlConnection, count: Int) -> String {
    var bytes = Array(connection.takeRest())
    while bytes.count < count {
      var source = pollfd(fd: connection.descriptor, events: Int16(POLLIN), revents: 0)
      poll(&source, 1, 5000)
      var byte: UInt8 = 0
      guard read(connection.descriptor, &byte, 1) == 1 else { break }
      bytes.append(byte)
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  @Test("answers nonsense with words, and goes on")
  func nonsense() throws {
    let server = try server()
    server.attach(guest)
    let connection = try guests.connect(to: "one")
    for part in ["hello\nsta", "tus\n"] {
      send(connection.descriptor, part, part.utf8.count, 0)
      usleep(1000)
    }
    let deadline = ContinuousClock.now + .seconds(5)
    #expect(try connection.line(before: deadline)?.ok == false)
    #expect(try connection.line(before: deadline)?.status != nil)
    server.close(nil)
  }

  @Test("ends a connection whose line does not end, and goes on")
  func endlessLine() throws {
    let server = try server()
    server.attach(guest)
    let connection = try guests.connect(to: "one")
    let bytes = [UInt8](repeating: 0x41, count: 5000)
    send(connection.descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    // What was sent and never read resets the connection, with or without the answer.
    #expect(throws: ControlError.justEnded("one")) {
      while try connection.line(before: .now + .seconds(5)) != nil {}
    }
    #expect(try guests.list().count == 1)
    server.close(nil)
  }
}
