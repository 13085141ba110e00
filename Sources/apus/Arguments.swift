// SPDX-License-Identifier: Apache-2.0
import ArgumentParser
import Machine

extension MemorySize: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}

extension CPUList: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}
