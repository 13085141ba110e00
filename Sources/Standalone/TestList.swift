// SPDX-License-Identifier: Apache-2.0

/// The same list on both vendors; what a processor does not have is skipped with its reason.
enum TestList {
  static var all: [Test] {
    LifeTests.all + TimerTests.all + InterruptTests.all + NMITests.all + APICModeTests.all
      + LineTests.all
      + KickTests.all + ExitTests.all + InstructionTests.all + MemoryTests.all + SMPTests.all
      + EmulatedTests.all + IoctlTests.all + DebugTests.all + TraceTests.all + CommandTests.all
      + FuzzTests.all
      + CostTests.all
  }
}
