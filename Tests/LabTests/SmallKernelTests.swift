// SPDX-License-Identifier: Apache-2.0
import Generator
import Testing

@testable import Lab

@Suite struct SmallKernelTests {
  @Test("A small kernel has what a boot loader looks for", arguments: SmallKernel.allCases)
  func header(kernel: SmallKernel) {
    let file = kernel.image
    #expect(file.number(at: 0x1fe, bytes: 2) == 0xaa55)
    #expect(file.number(at: 0x202, bytes: 4) == 0x5372_6448)
    #expect(file.number(at: 0x206, bytes: 2) == 0x020c)
    // Setup is two sectors; the rest is as long as the header says, in units of 16 bytes.
    #expect(file[0x1f1] == 1)
    #expect(file.count == 1024 + Int(file.number(at: 0x1f4, bytes: 4)) * 16)
    // The jump leads to the end of the header.
    #expect(file[0x200] == 0xeb)
    #expect(0x202 + Int(file[0x201]) == 0x268)
  }

  @Test("The code begins at the 64-bit entry point, 512 bytes into the kernel proper")
  func entry() {
    #expect(Array(SmallKernel.spin.image[0x600...].prefix(3)) == [0xeb, 0xfe, 0x00])
    #expect(Array(SmallKernel.fault.image[0x600...].prefix(2)) == [0x0f, 0x0b])
  }
}

@Suite struct SplitMix64Tests {
  /// From the authors' own C program with the seed 0.
  @Test("The generator gives the numbers of its description")
  func numbers() {
    var generator = SplitMix64(state: 0)
    #expect(generator.next() == 0xe220_a839_7b1d_cdaf)
    #expect(generator.next() == 0x6e78_9e6a_a1b9_65f4)
  }
}
