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

  static func ports(_ text: String) throws -> PortRange {
    guard let range = PortRange(text) else {
      throw ValidationError(
        "'\(text)' are no I/O ports: write one number or two, as in 0x80 or 0x3e8-0x3ef")
    }
    return range
  }

  static func disk(_ text: String) throws -> VirtualDevice.Disk {
    guard let disk = VirtualDevice.Disk(text) else {
      throw ValidationError("'\(text)' names no disk: write a file, or FILE,readonly")
    }
    return disk
  }

  static func contextIdentifier(_ text: String) throws -> VirtualDevice.ContextIdentifier {
    guard let identifier = VirtualDevice.ContextIdentifier(text) else {
      throw ValidationError(
        "'\(text)' is no address of a guest's for sockets: write a number from 3 on")
    }
    return identifier
  }

  static func name(_ text: String) throws -> GuestName {
    guard let name = GuestName(text) else {
      throw ValidationError(
        "'\(text)' is no name for a guest: letters, digits, '.', '_' and '-', 48 at most")
    }
    return name
  }

  static func memory(_ text: String) throws -> MemorySize {
    guard let size = MemorySize(text) else {
      throw ValidationError(
        "'\(text)' is no amount of memory: write mebibytes, or a number with K, M, G or T")
    }
    return size
  }
}
