// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Machine

/// What can be written behind options.
enum Arguments {
  static func cpus(_ text: String) throws -> CPUList {
    guard let list = CPUList(text) else {
      throw ValidationError(
        "'\(text)' is no list of CPUs: write one number, or several as in 2-3 or 1,3")
    }
    return list
  }

  static func memory(_ text: String) throws -> MemorySize {
    guard let size = MemorySize(text) else {
      throw ValidationError(
        "'\(text)' is no amount of memory: write mebibytes, or a number with K, M, G or T")
    }
    return size
  }
}
