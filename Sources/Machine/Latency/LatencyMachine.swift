// SPDX-License-Identifier: Apache-2.0
import Contract
import Glibc
import LatencyGuest
import Logging

/// The guest that measures, on `/dev/apus` or `/dev/kvm`. One reader at a time.
final class LatencyMachine {
  private let guest: GuestMachine
  private let area: UnsafeMutableRawBufferPointer
  /// kHz of the guest's TSC.
  private let frequency: UInt64
  private var read: UInt64 = 0
  /// Samples that were overwritten before they were read.
  private(set) var lost: UInt64 = 0

  /// `interval` in nanoseconds.
  init(device: String, cpu: Int, interval: UInt64) throws(SetupError) {
    guest = try GuestMachine(
      GuestConfiguration(
        device: device, cpus: [cpu], memorySize: LatencyGuestImage.memorySize,
        loader: try LatencyGuestImage.loader(), console: false),
      logger: Logger(label: "apus") { _ in SwiftLogNoOpLogHandler() })
    let start = UInt64(LATENCY_AREA)
    area = guest.memory(
      start..<start + UInt64(LATENCY_SAMPLES_OFFSET) + 4 * UInt64(LATENCY_SAMPLES))
    do {
      frequency = UInt64(try guest.virtualCPUs[0].virtualCPU.timestampFrequency())
    } catch {
      throw .call(error)
    }
    guard frequency > 0 else { throw .missingCapability(device: device, name: "KVM_GET_TSC_KHZ") }
    control.pointee.interval = interval * frequency / 1_000_000
  }

  private var control: UnsafeMutablePointer<latency_area> {
    area.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: latency_area.self)
  }

  /// The guest's whole life, in a thread of the caller's.
  func run() -> RunResult { guest.run() }

  func stop() { storeRelease(&control.pointee.stop, 1) }

  /// If the guest does not stop by itself.
  func end() { guest.endRun() }

  var exits: UInt64 { guest.virtualCPUs[0].exits().total }

  /// What the guest waits with, once it does.
  var timer: String {
    switch Int32(truncatingIfNeeded: control.pointee.timer) {
    case LATENCY_DEADLINE: "TSC deadline"
    case LATENCY_ONE_SHOT: "one-shot"
    default: "none yet"
    }
  }

  var isBroken: Bool { control.pointee.state == UInt64(LATENCY_BROKEN) }

  /// In nanoseconds, since the last time.
  func drain() -> [UInt64] {
    let end = loadAcquire(&control.pointee.count)
    let capacity = UInt64(LATENCY_SAMPLES)
    let begin = max(read, end > capacity ? end - capacity : 0)
    lost += begin - read
    read = end
    return (begin..<end).map { number in
      let ticks = area.load(
        fromByteOffset: Int(LATENCY_SAMPLES_OFFSET) + 4 * Int(number % capacity), as: UInt32.self)
      return UInt64(ticks) * 1_000_000 / frequency
    }
  }
}
