// SPDX-License-Identifier: Apache-2.0
import Contract
import Entry
import MonitorCore
import X86

/// The CPU that this code runs on.
struct HardwareProcessor<Host: VirtualizationHost>: Processor {
  static func of(_ pages: VirtualCPUPages) -> Self { Self() }

  func readMSR(_ msr: MSR) -> UInt64 { Entry.readMSR(msr.rawValue) }
  func writeMSR(_ msr: MSR, _ value: UInt64) { Entry.writeMSR(msr.rawValue, value) }
  func timestamp() -> UInt64 { readTSC() }
  func cpuid(_ leaf: UInt32, _ subleaf: UInt32) -> CPUIDRegisters {
    let answer = Entry.cpuid(leaf, subleaf)
    return CPUIDRegisters(eax: answer.eax, ebx: answer.ebx, ecx: answer.ecx, edx: answer.edx)
  }
  func pause() { Entry.pause() }
  var holdsLock: Bool {
    get { LentCPU.current.holdsLock }
    nonmutating set { LentCPU.current.holdsLock = newValue }
  }
  func stopAtBrokenLock() -> Never {
    LentCPU.current.stop(
      apus_fault(vector: UInt64(APUS_FAULT_LOCK), error: 0, rip: 0, rsp: 0, cr2: 0, rflags: 0))
    while true { halt() }
  }

  func map(_ physical: HostPhysical, at place: WindowPlace) -> UnsafeMutableRawPointer {
    unsafe Window.map(physical, at: APUS_WINDOW_FREE + place.page)
  }

  func mapTrace(_ physical: HostPhysical) {
    _ = unsafe Window.map(physical, at: APUS_WINDOW_TRACE, count: APUS_TRACE_PAGES)
  }

  func orderStores() { Entry.orderStores() }
  func ringDoorbell() { LentCPU.current.ringDoorbell() }

  var nmiCount: UInt64 { unsafe loadAcquire(&LentCPU.current.mailbox.nmis) }
  func sleep(unlessNMISince seen: UInt64) {
    unsafe withUnsafePointer(to: &LentCPU.current.mailbox.nmis) {
      unsafe Host.sleep(
        UnsafeRawPointer($0).assumingMemoryBound(to: UInt32.self),
        seen: UInt32(truncatingIfNeeded: seen))
    }
  }

  // MARK: Local APIC

  /// Rounds of taking what waits: each takes at least one of 240 vectors, and nothing new is
  /// requested but by a device or CPU that sends without end, which the driver has to stop.
  private static var drainRounds: Int { 1000 }

  func drainAPIC() {
    maskLocalVectors()
    writeAPIC(.timerInitialCount, 0)
    emptyAPIC()
    writeAPIC(.errorStatus, 0)
  }

  func emptyAPIC() {
    writeAPIC(.taskPriority, 0)
    writeAPIC(.spuriousVector, APICRegister.softwareEnable | 0xff)
    unsafe DescriptorTables.setLowestInterrupt(gates, 0)
    for _ in 0..<Self.drainRounds {
      if isAny(.inService0) {
        writeAPIC(.endOfInterrupt, 0)
      } else if isAny(.request0) {
        Host.takeInterrupts()
      } else {
        break
      }
    }
    unsafe DescriptorTables.setLowestInterrupt(gates, lowestInterrupt)
  }

  /// From which vector on interrupts are taken outside of this.
  private var lowestInterrupt: Int {
    LentCPU.current.takesInterrupts
      ? DescriptorTables.exceptions / 2 : DescriptorTables.exceptions
  }

  func beginTakingInterrupts() {
    LentCPU.current.takesInterrupts = true
    unsafe DescriptorTables.setLowestInterrupt(gates, lowestInterrupt)
    Host.letInterruptsExit(true)
  }
  func endTakingInterrupts() {
    Host.letInterruptsExit(false)
    LentCPU.current.takesInterrupts = false
    unsafe DescriptorTables.setLowestInterrupt(gates, lowestInterrupt)
  }
  func takeInterrupts() { Host.takeInterrupts() }

  func takenInterrupts(_ word: Int) -> UInt64 {
    let taken = unsafe withUnsafeMutablePointer(to: &LentCPU.current.mailbox.taken) {
      unsafe UnsafeMutableRawPointer($0).assumingMemoryBound(to: UInt64.self)
    }
    // Nothing but an interrupt of this CPU writes there, and none is taken between the two.
    let vectors = unsafe taken[word & 3]
    if vectors != 0 { unsafe taken[word & 3] = 0 }
    return vectors
  }

  private var gates: UnsafeMutableRawPointer { unsafe LentCPU.page(APUS_CPU_PAGE_TABLES) }

  func putInService(_ vector: UInt8) {
    unsafe DescriptorTables.setKeeping(gates, vector, true)
    writeAPIC(.selfInterrupt, UInt32(vector))
    for _ in 0..<Self.drainRounds where !isInService(vector) { Host.takeInterrupts() }
    unsafe DescriptorTables.setKeeping(gates, vector, false)
  }

  private func isInService(_ vector: UInt8) -> Bool {
    let word = APICRegister(rawValue: APICRegister.inService0.rawValue + vector >> 5)
    return readAPIC(word) & 1 << UInt32(vector & 31) != 0
  }

  private func maskLocalVectors() {
    let masked = UInt64(APICRegister.lvtMasked)
    writeMSR(APICRegister.lvtTimer.msr, masked)
    writeMSR(APICRegister.lvtLINT0.msr, masked)
    writeMSR(APICRegister.lvtLINT1.msr, masked)
    writeMSR(APICRegister.lvtError.msr, masked)
    // An access to one that is missing would stand in the error status, and a guest would read
    // it there. SDM vol. 3, 11.4.8.
    let highest = readAPIC(.version) >> 16 & 0xff
    if highest >= 4 { writeMSR(APICRegister.lvtPerformance.msr, masked) }
    if highest >= 5 { writeMSR(APICRegister.lvtThermal.msr, masked) }
    if highest >= 6 { writeMSR(APICRegister.lvtMachineCheck.msr, masked) }
  }

  /// Whether one of the eight words of a vector register has a bit.
  private func isAny(_ first: APICRegister) -> Bool {
    for word in UInt8(0)..<8
    where readAPIC(APICRegister(rawValue: first.rawValue + word)) != 0 {
      return true
    }
    return false
  }

  // MARK: Extended state

  func saveExtendedState(to area: UnsafeMutableRawPointer) {
    unsafe Entry.saveExtendedState(area, extendedStateMask)
  }
  func restoreExtendedState(from area: UnsafeMutableRawPointer) {
    unsafe Entry.restoreExtendedState(area, extendedStateMask)
  }
  /// x87, SSE, AVX and AVX-512: what has room in struct kvm_xsave. SDM vol. 1, 13.1.
  var extendedStateMask: UInt64 { UInt64(Entry.cpuid(0xd, 0).eax) & 0xe7 }
  /// All that have been defined so far; where FXSAVE says less, DAZ is missing.
  var vectorControlMask: UInt32 { 0xffff }
  var xcr0: UInt64 {
    get { readXCR0() }
    nonmutating set { writeXCR0(newValue) }
  }

  func readDebugAddress(_ index: Int) -> UInt64 {
    switch index {
    case 0: readDR0()
    case 1: readDR1()
    case 2: readDR2()
    default: readDR3()
    }
  }
  func writeDebugAddress(_ index: Int, _ value: UInt64) {
    switch index {
    case 0: writeDR0(value)
    case 1: writeDR1(value)
    case 2: writeDR2(value)
    default: writeDR3(value)
    }
  }
}
