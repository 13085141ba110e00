// SPDX-License-Identifier: Apache-2.0
import Contract
import Glibc
import MonitorCore
import X86

/// Physical memory of a machine that is not there: an address is an offset into it.
final class PretendedMemory: @unchecked Sendable {
  let base: UnsafeMutableRawPointer
  let size: Int

  private let file: Int32

  init(size: Int) {
    self.size = size
    // Zero, and only there once it is touched. A file, so that a page can be mapped twice.
    var name = Array("/tmp/apus-test-XXXXXX".utf8CString)
    file = mkstemp(&name)
    guard file >= 0, unlink(name) == 0, ftruncate(file, size) == 0,
      let base = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0),
      base != MAP_FAILED
    else { fatalError("no memory for a test") }
    self.base = base
  }
  deinit {
    munmap(base, size)
    close(file)
  }

  /// Maps `pages` pages from the physical address on at a place in a window.
  func map(_ physical: UInt64, pages: Int, at place: UnsafeMutableRawPointer) {
    let mapped = mmap(
      place, pages << 12, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, Int(physical))
    precondition(mapped == place, "no window for a test")
  }

  subscript<Value: BitwiseCopyable>(_ address: UInt64, as type: Value.Type) -> Value {
    get { base.loadUnaligned(fromByteOffset: Int(address), as: type) }
    set { base.storeBytes(of: newValue, toByteOffset: Int(address), as: type) }
  }

  func store(_ bytes: [UInt8], at address: UInt64) {
    for (offset, byte) in bytes.enumerated() {
      self[address + UInt64(offset), as: UInt8.self] = byte
    }
  }
}

/// A CPU of that machine: MSRs are cells, and what is sent is written down.
final class PretendedProcessor: Processor, @unchecked Sendable {
  /// The CPU area's private pages name it, as the monitor's name the real one.
  static func of(_ pages: VirtualCPUPages) -> PretendedProcessor {
    PretendedWindow.object(at: pages.cpuPage(APUS_CPU_PAGE_PRIVATE))
  }

  let memory: PretendedMemory
  var msrs: [UInt32: UInt64] = [:]
  var leaves: [UInt32: CPUIDRegisters] = [:]
  var ticks: UInt64 = 1000
  /// What went into the x2APIC's command register, and what its self-interrupt register.
  var sent: [UInt64] = []
  var onSend: () -> Void = {}
  var selfInterrupts: [UInt8] = []
  var doorbells = 0
  var drains = 0
  var sleeps = 0
  var onSleep: () -> Void = {}
  var debugAddresses: [UInt64] = [0, 0, 0, 0]
  var xcr0: UInt64 = 1

  init(_ memory: PretendedMemory) { self.memory = memory }

  func readMSR(_ msr: MSR) -> UInt64 { msrs[msr.rawValue] ?? 0 }
  func writeMSR(_ msr: MSR, _ value: UInt64) {
    switch msr.rawValue {
    case 0x830:
      if !hasOrderedStores { disorderly += 1 }
      hasOrderedStores = false
      sent.append(value)
      onSend()
    case 0x83f: selfInterrupts.append(UInt8(truncatingIfNeeded: value))
    default: msrs[msr.rawValue] = value
    }
  }
  /// After each look at the clock.
  var onTimestamp: () -> Void = {}
  func timestamp() -> UInt64 {
    defer { onTimestamp() }
    return ticks
  }
  func cpuid(_ leaf: UInt32, _ subleaf: UInt32) -> CPUIDRegisters {
    leaves[leaf] ?? CPUIDRegisters()
  }
  func map(_ physical: HostPhysical, at place: WindowPlace) -> UnsafeMutableRawPointer {
    let place = Int(physical.rawValue)
    precondition(physical.offsetInPage == 0 && place < memory.size, "\(physical) is no page")
    return memory.base + place
  }
  /// Set by whoever has the window.
  var windowMapsTrace: (UInt64) -> Void = { _ in }
  func mapTrace(_ physical: HostPhysical) { windowMapsTrace(physical.rawValue) }
  func drainAPIC() { drains += 1 }
  /// Between `beginTakingInterrupts` and its end.
  var takesInterrupts = false
  func beginTakingInterrupts() { takesInterrupts = true }
  func endTakingInterrupts() { takesInterrupts = false }
  /// What waits in the real APIC, and what was taken out of it.
  var waiting: [UInt8] = []
  private var taken = VectorSet()
  func takeInterrupts() {
    for vector in waiting { taken.insert(vector) }
    waiting = []
  }
  func emptyAPIC() {
    takeInterrupts()
    for word in UInt32(0)..<8 { msrs[0x810 + word] = 0 }
    msrs[0x808] = 0
    msrs[0x80f] = 0x1ff
  }
  func takenInterrupts(_ word: Int) -> UInt64 {
    defer { taken[word: word] = 0 }
    return taken[word: word]
  }
  var served: [UInt8] = []
  func putInService(_ vector: UInt8) { served.append(vector) }
  /// Whether nothing was sent since.
  var hasOrderedStores = false
  func orderStores() { hasOrderedStores = true }
  /// Commands that went out before the stores that they tell of.
  var disorderly = 0
  func ringDoorbell() { doorbells += 1 }
  var onPause: () -> Void = {}
  func pause() {
    ticks += 1000
    onPause()
  }
  var holdsLock = false
  func stopAtBrokenLock() -> Never { fatalError("the lock is broken") }
  var nmiCount: UInt64 { 0 }
  func sleep(unlessNMISince seen: UInt64) {
    sleeps += 1
    onSleep()
  }
  func saveExtendedState(to area: UnsafeMutableRawPointer) {}
  func restoreExtendedState(from area: UnsafeMutableRawPointer) {}
  var extendedStateMask: UInt64 { 7 }
  var vectorControlMask: UInt32 { 0xffff }
  func readDebugAddress(_ index: Int) -> UInt64 { debugAddresses[index] }
  func writeDebugAddress(_ index: Int, _ value: UInt64) { debugAddresses[index] = value }
}
