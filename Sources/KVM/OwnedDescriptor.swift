// SPDX-License-Identifier: Apache-2.0
import SystemPackage

/// A file descriptor that is closed when its owner goes.
struct OwnedDescriptor: ~Copyable, Sendable {
  let descriptor: FileDescriptor

  init(_ rawValue: Int32) { descriptor = FileDescriptor(rawValue: rawValue) }

  deinit { SystemCall.close(descriptor) }
}
