// SPDX-License-Identifier: Apache-2.0
import Glibc
import RealProcessor
import Synchronization

/// Pages for one instruction and its operands: one of code, and three of data.
final class Arena {
  private let base: UnsafeMutableRawPointer
  static let dataSize = 3 * 4096

  init() {
    let protection = PROT_READ | PROT_WRITE | PROT_EXEC
    guard
      let memory = mmap(nil, 4 * 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
      memory != MAP_FAILED
    else { fatalError("mmap: \(errno)") }
    base = memory
  }

  deinit { munmap(base, 4 * 4096) }

  var code: UInt64 { UInt64(UInt(bitPattern: base)) }
  var data: UInt64 { code + 4096 }
  /// Where a branch of the instruction may go.
  var branchTarget: UInt64 { code + 256 }

  private var dataBytes: UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(start: base + 4096, count: Self.dataSize)
  }

  var contents: [UInt8] {
    get { Array(dataBytes) }
    set { dataBytes.copyBytes(from: newValue) }
  }

  /// Puts the instruction where it runs, with the way back behind it.
  func place(_ instruction: [UInt8]) {
    let back = Self.jump(to: real_processor_return)
    base.copyMemory(from: instruction + back, byteCount: instruction.count + back.count)
    (base + 256).copyMemory(from: back, byteCount: back.count)
  }

  /// jmp qword ptr [rip], and the address.
  private static func jump(to address: UInt64) -> [UInt8] {
    [0xff, 0x25, 0, 0, 0, 0] + (0..<8).map { UInt8(truncatingIfNeeded: address >> ($0 * 8)) }
  }

  private static let processor = Mutex(())

  func run(_ state: processor_state) -> processor_state {
    var state = state
    Self.processor.withLock { _ in run_on_processor(&state, base) }
    return state
  }
}
