// SPDX-License-Identifier: Apache-2.0
import Glibc
import LinuxCalls

/// A source of random bytes (Virtual I/O Device 1.2, 5.4): those of Linux.
struct EntropyRequests: RequestHandler {
  let kind = VirtIOKind.entropy
  let queueSize: UInt16 = 16
  let features: UInt64 = 0
  let configuration: [UInt8] = []

  /// Bytes for one request: a guest that asks for more gets the rest with its next one.
  static let mostBytes = 4096

  func serve(_ chain: VirtQueue.Chain, features: UInt64) -> Int {
    var written = 0
    for buffer in ScatteredBytes(chain.writable).buffers where written < Self.mostBytes {
      let result = getrandom(buffer.baseAddress, min(buffer.count, Self.mostBytes - written), 0)
      guard result > 0 else { break }
      written += result
    }
    return written
  }
}
