// SPDX-License-Identifier: Apache-2.0
import Contract
import Figures
import Foundation
import LinuxCalls
import Testing

@testable import Machine

@Suite("The check of a host")
struct HostCheckTests {
  /// A machine of four CPUs on which everything is as it should be.
  private static func goodFacts() -> HostFacts {
    var facts = HostFacts(device: "/nonexistent/apus", files: HostFiles(root: "/nonexistent"))
    facts.processor = ProcessorFacts(vendor: .amd, flags: ["svm"], vmxFlags: []) { leaf in
      switch leaf {
      case 1: cpuid_registers(eax: 0, ebx: 0, ecx: 1 << 21, edx: 0)
      case 0x8000_0001: cpuid_registers(eax: 0, ebx: 0, ecx: 1 << 2, edx: 0)
      case 0x8000_000a: cpuid_registers(eax: 0, ebx: 0, ecx: 0, edx: 1)
      default: cpuid_registers()
      }
    }
    facts.device = .open(driver())
    facts.presentCPUs = [0, 1, 2, 3]
    facts.onlineCPUs = [0, 1, 2, 3]
    facts.removableCPUs = [1, 2, 3]
    return facts
  }

  private static func driver(
    uses: [UInt8] = [0, 0, 0, 0], flags: UInt32 = 0, marks: [UInt8] = [0, 0, 0, 1]
  ) -> DriverState {
    var host = apus_host()
    host.abi_version = APUS_ABI_VERSION
    host.cpu_count = UInt32(uses.count)
    host.image_size = 100 << 10
    host.flags = flags
    withUnsafeMutableBytes(of: &host.use) { $0.copyBytes(from: uses) }
    withUnsafeMutableBytes(of: &host.marks) { $0.copyBytes(from: marks) }
    return DriverState(host)
  }

  private func check(
    cpu: Int? = nil, _ change: (inout HostFacts) -> Void = { _ in }
  ) -> HostCheck {
    var facts = Self.goodFacts()
    change(&facts)
    return HostCheck(facts, cpu: cpu)
  }

  /// The one problem of a check.
  private func problem(_ check: HostCheck) throws -> Finding {
    let problems = check.findings.filter { $0.state == .problem }
    #expect(problems.count == 1)
    let problem = try #require(problems.first)
    #expect(!check.canLend)
    #expect(problem.fix?.isEmpty == false)
    return problem
  }

  @Test("finds nothing on a machine where all is well, and names the CPUs")
  func good() {
    let check = check()
    #expect(check.canLend)
    #expect(check.lendableCPUs == [1, 2, 3])
    #expect(check.findings.allSatisfy { $0.state == .good })
    #expect(CheckReport(check).lines.last == "This machine can lend CPUs 1-3.")
    #expect(HostCheck(Self.goodFacts(), cpu: 2).lendableCPUs == [2])
  }

  @Test("says which CPUs are the pool's, which of them are lent, and how to name some")
  func showsPool() {
    func finding(_ state: DriverState) -> Finding? {
      check { $0.device = .open(state) }.findings.first { $0.subject == "pool" }
    }
    #expect(finding(Self.driver()) == .good("pool", "3"))
    #expect(finding(Self.driver(uses: [0, 0, 0, 2])) == .good("pool", "3, of which 3 is lent"))
    var empty = Self.driver()
    empty.pool = []
    #expect(finding(empty)?.state == .note)
    #expect(finding(empty)?.text.contains("apus pool") == true)
  }

  @Test("offers a user the CPUs of the pool only")
  func pool() throws {
    #expect(check { $0.permittedCPUs = [2] }.lendableCPUs == [2])
    #expect(check(cpu: 2) { $0.permittedCPUs = [2] }.canLend)
    let other = try problem(check(cpu: 3) { $0.permittedCPUs = [2] })
    #expect(other.text == "it is not one of those that everybody may use")
    let none = try problem(check { $0.permittedCPUs = [] })
    #expect(none.text == "none is left of those that everybody may use")
  }

  @Test("notes that a CPU shares its core, and with which others")
  func threads() throws {
    func note(cpu: Int?) -> String? {
      let check = check(cpu: cpu) { $0.siblings = [0: [], 1: [], 2: [3], 3: [2]] }
      #expect(check.canLend)
      return check.findings.first { $0.state == .note }?.text
    }
    #expect(note(cpu: 1) == nil)
    let text = try #require(note(cpu: 2))
    #expect(text.hasPrefix("CPUs 2-3 are threads of one core"))
    #expect(note(cpu: nil) == text)
  }

  @Test("finds a processor that is no good, by what it lacks")
  func processor() throws {
    #expect(
      try problem(check { $0.processor.hasVirtualisation = false }).text
        == "this AMD processor has no SVM")
    #expect(try problem(check { $0.processor.hasNestedPaging = false }).text.contains("NPT"))
    #expect(try problem(check { $0.processor.hasX2APIC = false }).subject == "x2APIC")
    #expect(try problem(check { $0.processor.vendor = .other }).subject == "processor")
  }

  @Test("names Intel's features on Intel's processors")
  func intel() throws {
    let found = check {
      $0.processor.vendor = .intel
      $0.processor.hasNestedPaging = false
    }
    #expect(try problem(found).text.contains("EPT"))
  }

  @Test("believes the driver about the firmware, and without driver Linux's flags")
  func firmware() throws {
    let asked = check { $0.device = .open(Self.driver(flags: 2)) }
    #expect(try problem(asked).subject == "firmware")
    #expect(check { $0.processor.isVirtualisationInFlags = false }.canLend)
    let unasked = check {
      $0.processor.isVirtualisationInFlags = false
      $0.device = .missing
      $0.hasMonitorFile = true
    }
    #expect(unasked.findings.contains { $0.subject == "firmware" && $0.state == .problem })
  }

  @Test("says how the missing driver can be loaded on this kernel")
  func missingDriver() throws {
    func missing(_ change: (inout HostFacts) -> Void = { _ in }) throws -> Finding {
      try problem(
        check {
          $0.device = .missing
          $0.hasMonitorFile = true
          change(&$0)
        })
    }
    #expect(try missing().fix?.contains("insmod apus.ko") == true)
    #expect(try missing { $0.lockdown = "none" }.fix?.contains("insmod apus.ko") == true)
    #expect(try missing { $0.lockdown = "integrity" }.fix?.contains("sign apus.ko") == true)
    #expect(try missing { $0.areModulesDisabled = true }.text.contains("modules_disabled"))
    #expect(try missing { $0.isDriverLoaded = true }.fix?.contains("dmesg") == true)
  }

  @Test("finds a device that may not be opened, is another or of another version")
  func device() throws {
    func with(_ device: HostFacts.Device) throws -> Finding {
      try problem(
        check {
          $0.device = device
          $0.hasMonitorFile = true
        })
    }
    #expect(try with(.noPermission).fix?.contains("root") == true)
    #expect(try with(.unusable("it is a KVM that lends no CPUs")).fix?.contains("--device") == true)
    var old = Self.driver()
    old.version = 99
    #expect(try with(.open(old)).text.contains("99"))
  }

  @Test("finds a missing monitor, with and without the driver")
  func monitor() throws {
    #expect(
      try problem(check { $0.device = .open(Self.driver(flags: 1)) }).fix?
        .contains("/lib/firmware/apus/monitor") == true)
    let without = check { $0.device = .missing }
    #expect(without.findings.contains { $0.subject == "monitor" && $0.state == .problem })
  }

  @Test("finds a monitor that the driver was not built with")
  func otherMonitor() throws {
    let flags = APUS_HOST_MONITOR_OTHER
    let found = try problem(check { $0.device = .open(Self.driver(flags: flags)) })
    #expect(found.subject == "monitor")
    #expect(found.fix?.contains("one build") == true)
  }

  @Test("finds hosts on which the monitor cannot run")
  func unsuitable() throws {
    let found = try problem(check { $0.device = .open(Self.driver(flags: APUS_HOST_UNSUITABLE)) })
    #expect(found.text.contains("SEV-SNP"))
  }

  @Test("names what to switch on where a lent CPU may take interrupts of another; an unstable TSC")
  func hostNotes() {
    func notes(_ cpu: Int? = nil, flags: UInt32 = 0, marks: [UInt8] = []) -> [String] {
      let check = check(cpu: cpu) { $0.device = .open(Self.driver(flags: flags, marks: marks)) }
      #expect(check.canLend)
      return check.findings.filter { $0.state == .note }.map(\.text)
    }
    #expect(notes(marks: [0, 0, 4, 4]).contains { $0.contains("CPUs 2-3") && $0.contains("VT-d") })
    #expect(!notes(1, marks: [0, 0, 4, 4]).contains { $0.contains("VT-d") })
    #expect(!notes().contains { $0.contains("TSC") })
    #expect(notes(flags: APUS_HOST_TSC_UNSTABLE).contains { $0.contains("TSC") })
  }

  @Test("keeps the bootstrap processor, whatever its number")
  func bootstrapProcessor() throws {
    let device = HostFacts.Device.open(Self.driver(marks: [0, 2, 0, 0]))
    #expect(check { $0.device = device }.lendableCPUs == [2, 3])
    #expect(try problem(check(cpu: 1) { $0.device = device }).text.contains("bootstrap"))
  }

  @Test("finds why one CPU cannot be lent")
  func oneCPU() throws {
    #expect(try problem(check(cpu: 0)).fix == "name another one: 1-3")
    #expect(try problem(check(cpu: 4)).text == "there is none; this machine has 0-3")
    let lent = check(cpu: 2) { $0.device = .open(Self.driver(uses: [0, 0, 2, 0])) }
    #expect(try problem(lent).text == "it is lent already")
    let offline = check(cpu: 3) { $0.onlineCPUs = [0, 1, 2] }
    #expect(try problem(offline).fix?.contains("cpu3/online") == true)
    let fixed = check(cpu: 1) { $0.removableCPUs = [2, 3] }
    #expect(try problem(fixed).fix?.contains("CONFIG_HOTPLUG_CPU") == true)
  }

  @Test("finds why no CPU can be lent")
  func noCPU() throws {
    let single = check {
      $0.presentCPUs = [0]
      $0.onlineCPUs = [0]
    }
    #expect(try problem(single).fix?.contains("two CPUs") == true)
    let allLent = check { $0.device = .open(Self.driver(uses: [0, 2, 2, 2])) }
    #expect(try problem(allLent).text.contains("lent already"))
    let allOffline = check { $0.onlineCPUs = [0] }
    #expect(try problem(allOffline).fix?.contains("cpu1/online") == true)
    let noneRemovable = check { $0.removableCPUs = [] }
    #expect(try problem(noneRemovable).fix?.contains("CONFIG_HOTPLUG_CPU") == true)
  }

  @Test("ends with a verdict that counts what is to be done")
  func verdict() {
    #expect(
      CheckReport(check(cpu: 0)).lines.last
        == "This machine cannot lend CPU 0 yet: put 1 thing right.")
    #expect(
      CheckReport(check { $0.device = .missing }).lines.last
        == "This machine cannot lend CPUs yet: put 2 things right.")
  }

  @Test("notes a loaded KVM and an outer hypervisor without minding them")
  func notes() {
    let check = check {
      $0.isKVMLoaded = true
      $0.processor.isGuest = true
    }
    #expect(check.canLend)
    #expect(check.findings.filter { $0.state == .note }.map(\.subject) == ["KVM", "hypervisor"])
  }

  @Test("reads the lockdown that is in force")
  func lockdown() {
    #expect(HostFacts.chosen("none [integrity] confidentiality") == "integrity")
    #expect(HostFacts.chosen("[none] integrity confidentiality") == "none")
    #expect(HostFacts.chosen("]none[") == nil)
  }

  @Test("is written as JSON with the fix beside each problem")
  func json() throws {
    let text = JSON.text(CheckReport(check(cpu: 0)))
    let json = try #require(
      try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    #expect(json.keys.sorted() == ["can_lend", "cpus", "findings", "version"])
    #expect(json["can_lend"] as? Bool == false)
    let findings = try #require(json["findings"] as? [[String: Any]])
    #expect(findings.first?["fix"] is NSNull)
    let problem = findings.first { $0["subject"] as? String == "CPU 0" }
    #expect(
      problem as? [String: String] == [
        "subject": "CPU 0", "state": "problem", "text": "Linux needs it: it cannot be lent",
        "fix": "name another one: 1-3",
      ])
  }
}
