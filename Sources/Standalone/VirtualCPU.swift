// SPDX-License-Identifier: Apache-2.0
import Contract
import X86

/// A vCPU as driver and client deal with one: its area, and the commands that concern it.
@safe final class VirtualCPU {
  let machine: VirtualMachine
  let id: UInt32
  private let area: Block
  private(set) var cpu: LentCPU?

  init(_ machine: VirtualMachine, id: UInt32 = 0) {
    self.machine = machine
    self.id = id
    area = Memory.area(order: APUS_VCPU_ORDER)
    unsafe control.pointee.area = area.address
    unsafe control.pointee.id = id
    unsafe machine.control.pointee.vcpu_count = max(machine.control.pointee.vcpu_count, id + 1)
    unsafe control.pointee.bootstrap = id == 0 ? 1 : 0
  }

  var control: UnsafeMutablePointer<apus_vcpu> {
    unsafe area.structure(
      apus_vcpu.self, at: Int(APUS_VCPU_PAGE_CONTROL * APUS_PAGE_SIZE))
  }
  var run: UnsafeMutablePointer<kvm_run> { unsafe area.structure(kvm_run.self, at: 0) }
  var statistics: apus_statistics { unsafe control.pointee.statistics }

  var acknowledgedGeneration: UInt32 {
    unsafe loadAcquire(&control.pointee.slots_generation)
  }

  var acknowledgedRevocations: UInt32 {
    unsafe loadAcquire(&control.pointee.revocations)
  }

  // MARK: On a CPU and off it

  func bind(to cpu: LentCPU) throws(Failure) {
    self.cpu = cpu
    cpu.bound = self
    machine.setAPICID(cpu.apicID, of: Int(id))
    try expectZero("BIND", cpu.perform(APUS_COMMAND_BIND, area.address, machine.area.address))
  }

  func unbind() throws(Failure) {
    let cpu = try bound()
    try expectZero("UNBIND", cpu.perform(APUS_COMMAND_UNBIND))
    machine.setAPICID(APUS_NO_APIC_ID, of: Int(id))
    cpu.bound = nil
    self.cpu = nil
  }

  func bound() throws(Failure) -> LentCPU {
    guard let cpu else { throw .noGuest }
    return cpu
  }

  // MARK: ioctls

  private var payload: Block {
    Block(
      address: area.address + UInt64(APUS_VCPU_PAGE_PAYLOAD * APUS_PAGE_SIZE),
      size: Int(APUS_VCPU_PAYLOAD_SIZE))
  }

  /// The argument as bytes that are in the payload already.
  func perform(_ request: UInt32, size: Int) throws(Failure) -> Int64 {
    try bound().perform(APUS_COMMAND_VCPU, UInt64(request), UInt64(size))
  }
  func perform<Argument: BitwiseCopyable>(
    _ request: UInt32, _ argument: Argument
  ) throws(Failure) -> Int64 {
    payload.store(argument, at: 0)
    return try perform(request, size: MemoryLayout<Argument>.size)
  }
  func set<Argument: BitwiseCopyable>(
    _ name: StaticString, _ request: UInt32, _ argument: Argument
  ) throws(Failure) {
    try expectZero(name, perform(request, argument))
  }
  func get<Answer: BitwiseCopyable>(
    _ name: StaticString, _ request: UInt32, as type: Answer.Type = Answer.self
  ) throws(Failure) -> Answer {
    try expectZero(name, perform(request, size: MemoryLayout<Answer>.size))
    return payload.load(at: 0)
  }
  /// The payload itself, for arguments of variable size.
  func withPayload<Result>(_ body: (Block) -> Result) -> Result { body(payload) }

  private func expectZero(_ name: StaticString, _ answer: Int64) throws(Failure) {
    guard answer == 0 else { throw .answer(name, answer) }
  }

  // MARK: KVM_RUN

  func startRunning(_ answer: apus_page_answer = APUS_PAGE_RETRY) throws(Failure) {
    try bound().post(APUS_COMMAND_RUN, UInt64(answer.rawValue))
  }

  /// Runs to an access to a page of a slot of pages that has no entry for it.
  func expectMissingPage(_ address: UInt64, isWrite: Bool) throws(Failure) {
    let answer = try bound().answer()
    guard answer == Int64(APUS_RUN_PAGE) else { throw .answer("RUN", answer) }
    try expect("the address", unsafe control.pointee.page_address, address)
    try expect("a write", unsafe UInt64(control.pointee.page_written), isWrite ? 1 : 0)
  }

  /// Waits for the end of what `startRunning` began.
  func finishRunning() throws(Failure) -> ClientExit {
    let answer = try bound().answer()
    if answer == -EINTR_ { return .interrupted }
    guard answer == 0 else { throw .answer("RUN", answer) }
    return clientExit
  }

  func runGuest() throws(Failure) -> ClientExit {
    try startRunning()
    return try finishRunning()
  }

  private var clientExit: ClientExit {
    let run = unsafe run.pointee
    switch Int32(run.exit_reason) {
    case KVM_EXIT_IO:
      return .port(
        run.io.port, size: run.io.size, isInput: run.io.direction == UInt8(KVM_EXIT_IO_IN),
        data: portData.load(at: 0))
    case KVM_EXIT_MMIO:
      let data = unsafe withUnsafeBytes(of: run.mmio.data) { unsafe $0.load(as: UInt64.self) }
      return .memory(
        run.mmio.phys_addr, length: run.mmio.len, isWrite: run.mmio.is_write != 0, data: data)
    case KVM_EXIT_SHUTDOWN: return .shutdown
    case KVM_EXIT_FAIL_ENTRY:
      return .failedEntry(run.fail_entry.hardware_entry_failure_reason)
    case KVM_EXIT_DEBUG:
      let debug = run.debug.arch
      return .debug(pointer: debug.pc, exception: debug.exception, status: debug.dr6)
    case KVM_EXIT_UNKNOWN: return .unknown(run.hw.hardware_exit_reason)
    default: return .other(run.exit_reason)
    }
  }

  private var portData: Block {
    Block(address: area.address + UInt64(APUS_VCPU_PAGE_PIO * APUS_PAGE_SIZE), size: 8)
  }
  /// Elements of a KVM_EXIT_IO.
  var portCount: UInt32 { unsafe run.pointee.io.count }
  /// The answer to a KVM_EXIT_IO or KVM_EXIT_MMIO that reads.
  func answerPort(_ data: UInt64) { portData.store(data, at: 0) }
  func answerMemory(_ data: UInt64) {
    unsafe withUnsafeMutableBytes(of: &run.pointee.mmio.data) {
      unsafe $0.storeBytes(of: data, as: UInt64.self)
    }
  }

  /// docs/model: the bit, then the NMI.
  func request(_ request: apus_request) throws(Failure) {
    _ = unsafe fetchOr(&control.pointee.requests, request.rawValue)
    try bound().kick()
  }
}
