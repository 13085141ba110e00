// SPDX-License-Identifier: Apache-2.0
import X86

/// Executes one instruction for a guest whose processor could not, because an operand lies in
/// a device or the instruction crosses into one.
///
/// A device of the client cannot be waited for here. The instruction stops with what is asked of the
/// client, and starts again from its beginning with the answers that it has had. Until every read is
/// done nothing of the guest's state is changed, so that a start is a start. Writes come last, and
/// those that the client has to be told of wait in a queue.
///
/// All state is in this value, which has a fixed size and no references.
public struct Emulator {
  var instruction = DecodedInstruction()
  var bytes = InstructionBytes()
  var mode = CodeSize.bits64
  /// The guest-physical address that the processor could not access, or `noAddress`.
  var faultAddress = Self.noAddress
  var reads = DeviceReads()
  var writes = DeviceWrites()
  /// What the client has been asked for, while `wait` says so.
  public private(set) var request = DeviceAccess(.memory, at: 0, size: 0)
  var wait = Wait.none
  var fault = GuestFault.generalProtection
  /// RFLAGS as the context has them.
  var oldFlags = RFLAGS(rawValue: 0)
  /// RFLAGS as they will be after the instruction, and where it goes on.
  var flags = RFLAGS(rawValue: 0)
  var next: UInt64 = 0
  var completion: Completion = []

  enum Wait: UInt8 { case none, read, write }
  /// Why the instruction cannot go on: `request`, `fault` or `bytes` say more.
  enum Stop: Error { case client, fault, refused }

  public init() {}

  /// No address of the fault is known.
  public static var noAddress: GuestPhysical { GuestPhysical(.max) }

  /// The client owes an answer: `resume` takes it.
  public var isWaiting: Bool { wait != .none }

  /// Forgets what the client was asked.
  public mutating func reset() {
    wait = .none
    writes.removeAll()
    reads.removeAll()
  }

  /// Executes the instruction with these bytes at the context's RIP, in code of this size. Where the
  /// processor has said which guest-physical address of data it could not access, because no memory
  /// that allows the access is there, that address is not looked up again.
  @inline(__always)
  public mutating func run(
    _ bytes: InstructionBytes, _ mode: CodeSize, faultAddress: GuestPhysical = Emulator.noAddress,
    on context: some EmulatorContext
  ) -> EmulatorOutcome {
    self.bytes = bytes
    self.mode = mode
    self.faultAddress = faultAddress
    reset()
    return start(context)
  }

  /// Goes on after the client has done what it was asked; `answer` is what it has read.
  public mutating func resume(
    answer: UInt64 = 0, on context: some EmulatorContext
  ) -> EmulatorOutcome {
    let waited = wait
    wait = .none
    switch waited {
    case .none: return .completed(completion)
    case .read:
      reads.append(request, answer)
      return start(context)
    case .write: return flushWrites(context)
    }
  }

  @inline(never)
  private mutating func start(_ context: some EmulatorContext) -> EmulatorOutcome {
    do throws(DecodedInstruction.Failure) {
      try instruction.decode(bytes, mode: mode)
    } catch {
      switch error {
      case .truncated: return .fetchAgain
      case .tooLong: return .fault(.generalProtection)
      case .unknown: return .refused(bytes)
      }
    }
    reads.rewind()
    oldFlags = context.flags
    flags = oldFlags
    completion = flags.contains(.trap) ? .singleStep : []
    next = context.instructionPointer &+ UInt64(instruction.length)
    if instruction.mode != .bits64 { next &= 0xffff_ffff }
    do throws(Stop) { try execute(context) } catch { return stopped(error) }
    if completion.contains(.repeats) {
      next = context.instructionPointer
    } else {
      flags.remove(.resume)
    }
    storeFlags(context)
    context.complete(completion, next: next)
    if writes.isEmpty { return .completed(completion) }
    return flushWrites(context)
  }

  private mutating func stopped(_ stop: Stop) -> EmulatorOutcome {
    switch stop {
    case .client:
      wait = .read
      return .asksClient(request)
    case .fault: return .fault(fault)
    case .refused: return .refused(bytes)
    }
  }

  /// The instruction is done but for these.
  private mutating func flushWrites(_ context: some EmulatorContext) -> EmulatorOutcome {
    while let write = writes.removeFirst() {
      if context.writeDevice(write) { continue }
      request = write
      wait = .write
      return .asksClient(write)
    }
    return .completed(completion)
  }

  @inline(__always) mutating func storeFlags(_ context: some EmulatorContext) {
    guard flags != oldFlags else { return }
    context.flags = flags
    oldFlags = flags
  }

  mutating func ask(_ access: DeviceAccess) -> Stop {
    request = access
    return .client
  }

  mutating func raise(_ fault: GuestFault) -> Stop {
    self.fault = fault
    return .fault
  }
}

/// What has become of an instruction.
public enum EmulatorOutcome: Equatable, Sendable {
  /// The guest goes on.
  case completed(Completion)
  /// The client is asked to read or write a device; then comes `resume`.
  case asksClient(DeviceAccess)
  /// The instruction raises this, with RIP at it.
  case fault(GuestFault)
  /// More of the instruction's bytes are needed than could be fetched.
  case fetchAgain
  /// Not an instruction that the emulator knows. Nothing has changed.
  case refused(InstructionBytes)
}

/// What holds at the boundary after an instruction.
public struct Completion: OptionSet, Sendable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// RFLAGS.TF was set: a #DB with DR6.BS is due.
  public static let singleStep = Completion(rawValue: 1 << 0)
  /// Interrupts are held off for one more instruction: SS was loaded.
  public static let interruptShadow = Completion(rawValue: 1 << 1)
  /// RIP stays at a repeated string instruction that is not done.
  public static let repeats = Completion(rawValue: 1 << 2)
}
