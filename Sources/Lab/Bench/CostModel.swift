// SPDX-License-Identifier: Apache-2.0
import Figures

/// Turns exits and instructions into microseconds for a generation of processors. A model: an emulator
/// counts instructions, and this says how long a processor might need for them.
public struct CostModel: Sendable, Equatable {
  public var name: String
  /// From the guest's last instruction to the hypervisor's first and back: the processor's own part, in cycles.
  public var transitionCycles: Double
  public var gigahertz: Double
  public var source: String

  /// Caches are warm, and each cycle completes one instruction.
  static let instructionsPerCycle = 1.0

  /// Of one exit on which so many instructions are executed.
  func microseconds(instructions: Double) -> Double {
    (transitionCycles + instructions / Self.instructionsPerCycle) / (gigahertz * 1000)
  }

  private static let agesen =
    "Agesen, Mattson, Rugina, Sheldon: Software Techniques for Avoiding Hardware Virtualization Exits, "
    + "USENIX ATC 2012, table 1, quoted from memory"

  static let all = [
    CostModel(
      name: "Nehalem, Xeon X5570", transitionCycles: 1009, gigahertz: 2.93, source: agesen),
    CostModel(
      name: "Westmere, Xeon X5680", transitionCycles: 761, gigahertz: 3.33, source: agesen),
    CostModel(
      name: "Sandy Bridge, Core i7-2600", transitionCycles: 784, gigahertz: 3.4, source: agesen),
    CostModel(
      name: "EPYC, at 3 GHz", transitionCycles: 1360, gigahertz: 3.0,
      source:
        "M. Roth, KVM: SVM: use vmsave/vmload for saving/restoring additional host state, v2, "
        + "linux-kernel, December 2020: from before VMRUN to after it, VMLOAD included, 1344 to 1376 cycles"
    ),
  ]

  /// What a reader has to know.
  static let notes = [
    "A model, not a measurement: (cycles of the transition + instructions) / clock. Caches are warm, every "
      + "cycle completes one instruction, and neither the mitigations of speculative execution nor what an "
      + "exit displaces from caches and translation buffers is counted. All of these make exits dearer.",
    "Instructions are those counted in this run. KVM's are all that the host executes until its guest goes "
      + "on; the monitor's are those from exit to entry.",
  ]
}
