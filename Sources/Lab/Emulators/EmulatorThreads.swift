// SPDX-License-Identifier: Apache-2.0
import Foundation

/// The threads of a running QEMU, of which each is one emulated CPU.
///
/// On a developer's machine with fewer CPUs than the emulated one has, a measured CPU would wait
/// for the busy ones as no real CPU does. The busy ones are therefore made to give way.
enum EmulatorThreads {
  /// Nice values: of the preferred CPU, where that is allowed, and of the others. These still need
  /// to run, or Linux waits for their answers.
  private static let preference: Int32 = -10
  private static let reluctance: Int32 = 5

  /// Lowers the priority of every emulated CPU except `favoured`; false if QEMU has not started
  /// all of them yet.
  static func favour(_ favoured: Int, of cpus: Int, childOf parent: Int32) -> Bool {
    guard let emulator = children(of: parent).first else { return false }
    let threads = cpuThreads(of: emulator)
    guard threads.count == cpus else { return false }
    for (cpu, thread) in threads {
      // Refused for a thread that has ended, and without privilege for the preferred one.
      _ = setpriority(
        __priority_which_t(PRIO_PROCESS.rawValue), id_t(thread),
        cpu == favoured ? preference : reluctance)
    }
    return true
  }

  private static func children(of process: Int32) -> [Int32] {
    let text = try? Files.readText("/proc/\(process)/task/\(process)/children")
    return (text ?? "").split(separator: " ").compactMap { Int32($0) }
  }

  /// Thread IDs by emulated CPU; QEMU names them `CPU 0/TCG` when told `debug-threads=on`.
  private static func cpuThreads(of process: Int32) -> [Int: Int32] {
    let tasks = "/proc/\(process)/task"
    var threads: [Int: Int32] = [:]
    for task in (try? Files.names(in: tasks)) ?? [] {
      let name = (try? Files.readText("\(tasks)/\(task)/comm")) ?? ""
      if let cpu = cpuNumber(ofThread: name), let thread = Int32(task) { threads[cpu] = thread }
    }
    return threads
  }

  static func cpuNumber(ofThread name: String) -> Int? {
    guard name.hasPrefix("CPU "), name.contains("/TCG") else { return nil }
    return Int(name.dropFirst("CPU ".count).prefix { $0 != "/" })
  }
}
