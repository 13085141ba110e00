// SPDX-License-Identifier: Apache-2.0
import Glibc
import LinuxCalls
import Testing

@testable import Machine

@Suite("A control socket")
struct ControlSocketTests {
  private let temporary = TemporaryDirectory()
  private var directory: RuntimeDirectory { temporary.runtime }

  private func exists(_ name: GuestName) -> Bool {
    access(directory.socketPath(of: name), F_OK) == 0
  }

  /// What a process that was killed leaves: a socket on which nobody listens.
  private func leaveStale(_ name: GuestName) {
    close(listenLocally(at: directory.socketPath(of: name)))
  }

  @Test("takes its name as long as it lives")
  func name() throws {
    do {
      let socket = try ControlSocket("one", in: directory)
      #expect(try ControlSocket.living(in: directory) == ["one"])
      #expect(throws: ControlError.nameTaken("one")) {
        _ = try ControlSocket("one", in: directory)
      }
      withExtendedLifetime(socket) {}
    }
    #expect(!exists("one"))
    _ = try ControlSocket("one", in: directory)
  }

  @Test("takes over a killed process's name")
  func takesOver() throws {
    leaveStale("one")
    let socket = try ControlSocket("one", in: directory)
    #expect(try ControlSocket.living(in: directory) == ["one"])
    withExtendedLifetime(socket) {}
  }

  @Test("A killed process's socket is not listed, and is removed")
  func removesStale() throws {
    leaveStale("gone")
    let socket = try ControlSocket("here", in: directory)
    #expect(try ControlSocket.living(in: directory) == ["here"])
    #expect(!exists("gone"))
    withExtendedLifetime(socket) {}
  }

  @Test("does not remove the file of a later one with its name")
  func keepsOthers() throws {
    var first: ControlSocket? = try ControlSocket("one", in: directory)
    unlink(directory.socketPath(of: "one"))
    let second = try ControlSocket("one", in: directory)
    withExtendedLifetime(first) {}
    first = nil
    #expect(exists("one"))
    withExtendedLifetime(second) {}
  }

  @Test("is its owner's alone, and so is the directory that is made for it")
  func permissions() throws {
    let inner = RuntimeDirectory(path: temporary.path + "/apus")
    do {
      let socket = try ControlSocket("one", in: inner)
      var status = stat()
      #expect(lstat(inner.path, &status) == 0 && status.st_mode & 0o777 == 0o700)
      #expect(lstat(inner.socketPath(of: "one"), &status) == 0 && status.st_mode & 0o777 == 0o600)
      withExtendedLifetime(socket) {}
    }
    rmdir(inner.path)
  }

  @Test("is not opened where others may enter", arguments: [0o755, 0o710, 0o777, 0o701])
  func insecure(mode: mode_t) throws {
    chmod(temporary.path, mode)
    #expect(throws: ControlError.directoryNotPrivate(path: temporary.path)) {
      _ = try ControlSocket("one", in: directory)
    }
    #expect(throws: ControlError.directoryNotPrivate(path: temporary.path)) {
      _ = try RunningGuests(in: directory).names()
    }
  }

  @Test("is not opened behind a symbolic link")
  func symbolicLink() throws {
    let link = temporary.path + "-link"
    symlink(temporary.path, link)
    defer { unlink(link) }
    #expect(throws: ControlError.self) {
      _ = try ControlSocket("one", in: RuntimeDirectory(path: link))
    }
  }

  @Test("with a path too long for a socket is refused in words")
  func tooLong() {
    let name = GuestName(String(repeating: "n", count: 48))
    let directory = RuntimeDirectory(path: temporary.path + "/" + String(repeating: "d", count: 60))
    defer { rmdir(directory.path) }
    #expect {
      _ = try ControlSocket(name ?? "x", in: directory)
    } throws: { error in
      if case .pathTooLong = error as? ControlError { true } else { false }
    }
  }

  @Test("No directory, no guests")
  func noDirectory() throws {
    let missing = RuntimeDirectory(path: temporary.path + "/missing")
    #expect(try RunningGuests(in: missing).names().isEmpty)
    #expect(throws: ControlError.noSuchGuest("one", known: [])) {
      _ = try RunningGuests(in: missing).connect(to: "one")
    }
  }

  @Test("Who asks for a name that is not there hears those that are")
  func knownNames() throws {
    let socket = try ControlSocket("one", in: directory)
    #expect(throws: ControlError.noSuchGuest("two", known: ["one"])) {
      _ = try RunningGuests(in: directory).connect(to: "two")
    }
    #expect(throws: ControlError.noSuchGuest("../one", known: ["one"])) {
      _ = try RunningGuests(in: directory).connect(to: "../one")
    }
    withExtendedLifetime(socket) {}
  }

  @Test("is in the directory of its user, if the environment names none")
  func directories() {
    func path(_ user: uid_t, _ environment: [String: String]) -> String {
      RuntimeDirectory(user: user) { environment[$0] }.path
    }
    #expect(path(0, ["XDG_RUNTIME_DIR": "/run/user/0"]) == "/run/apus")
    #expect(path(1000, ["XDG_RUNTIME_DIR": "/run/user/1000"]) == "/run/user/1000/apus")
    #expect(path(1000, [:]) == "/tmp/apus-1000")
    #expect(path(1000, ["XDG_RUNTIME_DIR": "relative"]) == "/tmp/apus-1000")
    #expect(path(0, ["APUS_RUNTIME_DIR": "/x"]) == "/x")
  }

  @Test(
    "Names hold no way out of the directory",
    arguments: ["", ".", "..", "a/b", "/a", "-a", ".a", "a b", "a\n", "ä", "a\u{0}"])
  func noNames(text: String) { #expect(GuestName(text) == nil) }
}
