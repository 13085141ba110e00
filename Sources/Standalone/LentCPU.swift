// SPDX-License-Identifier: Apache-2.0
import Contract
import Entry
import StandaloneEntry
import X86

/// A CPU of the machine, as the driver deals with one: started into the monitor, given
/// commands, taken back. apus.h, "A lent CPU".
@safe final class LentCPU {
  let apicID: UInt32
  let area: Block
  private let space: AddressSpace
  private let image: MonitorImage
  private let trampoline: Block
  /// The vCPU that runs here.
  var bound: VirtualCPU?

  init(apicID: UInt32, image: MonitorImage) {
    self.apicID = apicID
    self.image = image
    area = Memory.area(order: APUS_CPU_ORDER)
    space = AddressSpace(image: image, area: area)
    trampoline = Block(address: 0x10000 + UInt64(apicID) * 4096, size: 4096)
  }

  var mailbox: UnsafeMutablePointer<apus_cpu> { unsafe area.structure(apus_cpu.self, at: 0) }
  var state: apus_cpu_state {
    unsafe apus_cpu_state(rawValue: loadAcquire(&mailbox.pointee.state))
  }

  /// INIT and SIPI into the trampoline, up to APUS_CPU_READY.
  func start() throws(Failure) {
    unsafe mailbox.pointee.abi_version = APUS_ABI_VERSION
    unsafe mailbox.pointee.cpu = apicID
    unsafe mailbox.pointee.apic_id = apicID
    unsafe mailbox.pointee.tsc_khz = UInt32(Clock.ticksPerMillisecond)
    unsafe mailbox.pointee.area = area.address
    unsafe mailbox.pointee.attention_us = 50
    unsafe mailbox.pointee.doorbell = LocalAPIC.doorbellCommand
    unsafe mailbox.pointee.proceed = 0
    unsafe mailbox.pointee.command = APUS_COMMAND_NONE.rawValue
    unsafe mailbox.pointee.command_sequence = mailbox.pointee.done_sequence
    unsafe storeRelease(&mailbox.pointee.state, APUS_CPU_OFF.rawValue)

    let header = image.header
    trampoline.copy(
      Int(header.trampoline_size), from: image.pages, at: image.offset(of: header.trampoline), to: 0
    )
    trampoline.store(
      apus_trampoline_arguments(
        page_table: space.root.address,
        stack: UInt64(APUS_WINDOW_BASE + (APUS_WINDOW_CPU + APUS_CPU_PAGES) * APUS_PAGE_SIZE),
        entry: image.entry), at: Int(APUS_TRAMPOLINE_ARGUMENTS))
    space.map(trampoline: trampoline.address)
    reset()
    try wait("ARRIVED") { $0 != APUS_CPU_OFF }
    space.unmap(trampoline: trampoline.address)
    trampoline.clear()
    unsafe storeRelease(&mailbox.pointee.proceed, 1)
    try wait("READY") { $0 == APUS_CPU_READY }
  }

  /// INIT, then SIPI into what lies in the borrowed page.
  private func reset() {
    LocalAPIC.send(to: apicID, mode: .initialize)
    Clock.idle(steps: 100)
    LocalAPIC.send(vector: UInt8(trampoline.address >> 12), to: apicID, mode: .startUp)
  }

  private func wait(
    _ what: StaticString, _ condition: (apus_cpu_state) -> Bool
  ) throws(Failure) {
    let came = Clock.wait {
      condition(state) || state == APUS_CPU_UNFIT || state == APUS_CPU_STOPPED
    }
    try check()
    guard came else { throw .timeout(what) }
  }

  /// Throws if the monitor has given up.
  func check() throws(Failure) {
    if state == APUS_CPU_UNFIT {
      throw unsafe .unfit(reason: mailbox.pointee.reason, detail: mailbox.pointee.detail)
    }
    if state == APUS_CPU_STOPPED { throw unsafe .stopped(mailbox.pointee.fault) }
  }

  /// What `body` asks for breaks the monitor, and that with this vector.
  func expectStop(vector: UInt64, _ body: () throws(Failure) -> Void) throws(Failure) {
    do throws(Failure) {
      try body()
    } catch .stopped(let fault) {
      return try expect("the fault's vector", fault.vector, vector)
    }
    throw .timeout("a fault")
  }

  /// What on the stack of a monitor that stopped may be a return address, for the reader of a
  /// failure.
  func writeCalls() {
    let stackPointer = unsafe mailbox.pointee.fault.rsp
    let start = UInt64(APUS_WINDOW_BASE + APUS_WINDOW_CPU * APUS_PAGE_SIZE)
    guard stackPointer >= start, stackPointer < start + UInt64(area.size) else { return }
    Console.write(" calls")
    for offset in stride(from: Int(stackPointer - start), to: area.size - 7, by: 8) {
      let word: UInt64 = area.load(at: offset)
      let page = Int(word >> 12) - Int(APUS_IMAGE_BASE >> 12)
      guard word >> 32 == 0, page >= 0, page < image.pageCount,
        image.permissions(ofPage: page).contains(.execute)
      else { continue }
      Console.write(" ")
      Console.write(hexadecimal: word)
    }
  }

  /// After a failed test: whatever the CPU does, it parks. In VT-x's root mode it would ignore
  /// an INIT (SDM vol. 3, 24.8).
  func takeBack() throws(Failure) {
    guard state == APUS_CPU_READY else { return }
    if !isDone {
      try bound?.request(APUS_REQUEST_EXIT)
      _ = try answer()
    }
    try park()
  }

  // MARK: Commands

  /// Gives a command and returns at once.
  func post(_ command: apus_command, _ first: UInt64 = 0, _ second: UInt64 = 0) {
    unsafe mailbox.pointee.command = command.rawValue
    unsafe mailbox.pointee.argument.0 = first
    unsafe mailbox.pointee.argument.1 = second
    let sequence = unsafe mailbox.pointee.command_sequence &+ 1
    // An exchange is a full barrier too: `awake` is read after it.
    _ = unsafe exchange(&mailbox.pointee.command_sequence, sequence)
    if unsafe loadAcquire(&mailbox.pointee.awake) == 0 { kick() }
  }

  var nmis: UInt64 { unsafe loadAcquire(&mailbox.pointee.nmis) }
  func kick() { LocalAPIC.send(to: apicID, mode: .nonMaskable) }

  var isDone: Bool {
    unsafe loadAcquire(&mailbox.pointee.done_sequence) == mailbox.pointee.command_sequence
  }

  /// The answer to the newest command.
  func answer() throws(Failure) -> Int64 {
    let came = Clock.wait { isDone || state == APUS_CPU_STOPPED }
    try check()
    guard came else { throw .timeout("a command") }
    return unsafe mailbox.pointee.result
  }

  func perform(
    _ command: apus_command, _ first: UInt64 = 0, _ second: UInt64 = 0
  ) throws(Failure) -> Int64 {
    post(command, first, second)
    return try answer()
  }

  /// Leaves the monitor; the CPU waits for INIT then.
  func park() throws(Failure) {
    post(APUS_COMMAND_PARK)
    try wait("PARKED") { $0 == APUS_CPU_PARKED }
  }

  /// Runs probe.S on the CPU: IA32_APIC_BASE as it is found.
  func probe() throws(Failure) -> UInt64 {
    trampoline.clear()
    trampoline.copy(
      Int(probeEnd - probeStart), from: Block(address: probeStart, size: 4096), at: 0, to: 0)
    reset()
    guard Clock.wait({ trampoline.word(at: Int(PROBE_DONE)) & 1 != 0 }) else {
      throw .timeout("the probe of a CPU")
    }
    return trampoline.word(at: Int(PROBE_APIC_BASE))
  }
}
