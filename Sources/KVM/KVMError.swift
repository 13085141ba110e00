// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// A KVM call that the device refused.
public struct KVMError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The call's name in linux/kvm.h or apus.h, or the system call's.
  public let call: String
  public let errno: Errno

  public init(call: String, errno: Errno) {
    self.call = call
    self.errno = errno
  }

  public var description: String { "\(call): \(errno)" }
}

/// Names the call in whatever error comes out of `body`.
func calling<Result: ~Copyable>(
  _ call: String, _ body: () throws(Errno) -> Result
) throws(KVMError) -> Result {
  do {
    return try body()
  } catch {
    throw KVMError(call: call, errno: error)
  }
}
