// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Lab

@Suite("The documented interface")
struct APITablesTests {
  let documented = APITables(
    parsing: """
      | ioctl | KVM | Apus | why |
      | --- | --- | --- | --- |
      | `KVM_A` | 0 | 0 | |
      | `KVM_B` | 0 | -25 | not yet |
      | `cap 9` | * | * | KVM_CAP_NR_VCPUS | of the machine |
      | `msr-0x1*` | * | 0x1 | runs |
      """)

  func problems(kvm: [String], apus: [String]) -> [String] {
    APITables(kvm: kvm, apus: apus).problems(against: documented)
  }
  let kvm = ["ioctl KVM_A 0", "ioctl KVM_B 0", "cap 9 4 4", "cap 8 0 0", "state msr-0x10 0x77"]
  let apus = ["ioctl KVM_A 0", "ioctl KVM_B -25", "cap 9 3 3", "cap 8 0 0", "state msr-0x10 0x1"]

  @Test("Is what both devices answer")
  func agrees() {
    #expect(problems(kvm: kvm, apus: apus) == [])
  }

  @Test("Is wrong where an answer is another one, where one is missing, and where one is too many")
  func disagrees() {
    #expect(problems(kvm: ["ioctl KVM_A -22"] + kvm.dropFirst(), apus: apus).count == 1)
    #expect(problems(kvm: kvm + ["ioctl KVM_C 0"], apus: apus).count == 1)
    #expect(problems(kvm: kvm, apus: apus + ["cap 3 1 1"]).count == 1)
    #expect(problems(kvm: Array(kvm.dropLast()), apus: Array(apus.dropLast())).count == 1)
    #expect(problems(kvm: kvm + ["state regs+0x0 0x5"], apus: apus).count == 1)
    #expect(problems(kvm: kvm + ["state regs+0x0 0x5"], apus: apus + ["state regs+0x0 0x5"]) == [])
  }

  @Test("A difference has a reason")
  func reason() {
    let bare = APITables(parsing: "| `KVM_B` | 0 | -25 | |\n")
    let measured = APITables(kvm: ["ioctl KVM_B 0"], apus: ["ioctl KVM_B -25"])
    #expect(measured.problems(against: bare) == ["KVM_B differs without a reason"])
  }
}
