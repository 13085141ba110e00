// SPDX-License-Identifier: Apache-2.0
import Glibc
import HostileCalls

/// Takes CPU 3 and gives it back while the kernel refuses one allocation of the worker that does so: the
/// first, the second, until it makes fewer. Afterwards the CPU must be Linux's again, each time.
///
/// Linux's own part of the way, CPU hotplug, is refused its allocations too.
struct FailedHandOvers {
  let device: Device
  let options: Options

  /// More than a hand-over makes.
  private static let most: UInt32 = 1000
  /// So many hand-overs in a row that came to their end: others use these workers as well.
  private static let enough = 3

  private enum Way: String, CaseIterable {
    case take, giveBack = "give back"
  }

  func make() -> Int32 {
    guard let online = Self.onlineCPUs() else {
      say("cannot read which CPUs are online")
      return 1
    }
    var refused = 0
    for way in Way.allCases {
      guard let count = walk(way, online) else { return 2 }
      refused += count
    }
    guard refused > 0 else {
      say("WRONG: nothing was refused")
      return 2
    }
    say("\(refused) allocations refused on the way of a CPU and back")
    return 0
  }

  /// How many were refused. Nil if something was wrong, which has been said then.
  private func walk(_ way: Way, _ online: String) -> Int? {
    var refused = 0
    var inARow = 0
    var answers: [Int32: Int] = [:]
    for nth in 1...Self.most where inARow < Self.enough {
      let machine = device.createMachine()
      let processor = device.createProcessor(of: machine)
      guard processor >= 0 else {
        say("WRONG: no vCPU after refusal \(nth) of \(way.rawValue): errno \(-processor)")
        return nil
      }
      var workers = way == .take ? Workers(failing: nth) : Workers()
      let result = device.lend(3, to: processor)
      if way == .giveBack { workers = Workers(failing: nth) }
      if way == .take { inARow = workers.haveFailed() ? 0 : inARow + 1 }
      close(processor)
      close(machine)
      if way == .giveBack { inARow = workers.haveFailed() ? 0 : inARow + 1 }
      refused += inARow == 0 ? 1 : 0
      answers[result, default: 0] += 1
      guard result == 0 || result == -ENOMEM else {
        say("WRONG: \(way.rawValue), refusal \(nth): errno \(-result)")
        return nil
      }
      guard comesBack(online) else {
        say("WRONG: \(way.rawValue), refusal \(nth): online are \(Self.onlineCPUs() ?? "?")")
        return nil
      }
    }
    let counts = answers.sorted { $0.key > $1.key }.map { "\($0.value) x \($0.key)" }
    say("\(way.rawValue): \(refused) refused; answers \(counts.joined(separator: ", "))")
    return refused
  }

  /// The driver tries again each second.
  private func comesBack(_ online: String) -> Bool {
    for _ in 0..<500 {
      if Self.onlineCPUs() == online { return true }
      usleep(20_000)
    }
    return false
  }

  private static func onlineCPUs() -> String? { read("/sys/devices/system/cpu/online") }

  fileprivate static func read(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 64)
    let count = Glibc.read(descriptor, &bytes, bytes.count)
    return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
  }
}

/// The kernel's workers that belong to no CPU, one of which hands CPUs over.
private struct Workers {
  private var files: [String] = []

  /// None.
  init() {}

  /// Each is refused its nth allocation from here on.
  init(failing nth: UInt32) {
    guard let directory = opendir("/proc") else { return }
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      guard name.first?.isNumber == true,
        FailedHandOvers.read("/proc/\(name)/comm")?.hasPrefix("kworker/u") == true
      else { continue }
      files.append("/proc/\(name)/fail-nth")
    }
    closedir(directory)
    for file in files { write(nth, to: file) }
  }

  /// Whether one of them was refused something; none is from here on.
  func haveFailed() -> Bool {
    var failed = false
    for file in files {
      if FailedHandOvers.read(file)?.hasPrefix("0") == true { failed = true }
      write(0, to: file)
    }
    return failed
  }

  private func write(_ number: UInt32, to file: String) {
    let descriptor = open(file, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    let text = Array(String(number).utf8)
    Glibc.write(descriptor, text, text.count)
    close(descriptor)
  }
}
