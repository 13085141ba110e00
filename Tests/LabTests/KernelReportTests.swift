// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Lab

@Suite struct KernelReportTests {
  private static let ours = [
    "[   12.345678] ==================================================================",
    "[   12.345679] BUG: KASAN: slab-use-after-free in vm_put+0x12/0x30 [apus]",
    "[   12.345680] Read of size 4 at addr ffff88800a1b2c3d by task apus/123",
    "[   12.345681] INFO: lockdep is turned off.",
    "[   12.345681] Call Trace:", "[   12.345682]  <TASK>",
    "[   12.345683]  vm_release+0x1c/0x20 [apus]", "[   12.345684]  __fput+0x100/0x200",
  ]
  private static let others = [
    "[   13.000000] WARNING: possible circular locking dependency detected",
    "[   13.000001] 6.1.192-debug #1 Not tainted", "[   13.000002]  tty_write+0x1/0x2",
  ]

  @Test("A report is the module's if one of its frames is, and ends where the next begins")
  func frames() {
    let reports = KernelReport.all(in: Self.ours + Self.others)
    #expect(reports.map(\.isOurs) == [true, false])
    #expect(
      reports.map(\.title) == [
        "BUG: KASAN: slab-use-after-free in vm_put+0x12/0x30 [apus]",
        "WARNING: possible circular locking dependency detected",
      ])
  }

  @Test("What came often is said once")
  func titles() {
    let reports = KernelReport.all(in: Self.ours + Self.others + Self.ours)
    #expect(
      KernelReport.titles(of: reports) == [
        "2 × BUG: KASAN: slab-use-after-free in vm_put+0x12/0x30 [apus]",
        "WARNING: possible circular locking dependency detected",
      ])
  }

  @Test("What the module says, and a stack of an allocation that was made to fail, are no reports")
  func ordinary() {
    let injected = [
      "[    1.000000] apus: CPU 3 is taken back by force",
      "[    2.000000] hostile: page allocation failure: order:0",
      "[    2.000001]  lend_cpu+0x1/0x2 [apus]",
    ]
    #expect(KernelReport.all(in: injected).isEmpty)
    #expect(KernelReport.all(in: Self.others + injected).map(\.isOurs) == [false])
  }

  @Test("A lost object is the module's if it allocated it, with and without the module's names")
  func leaks() {
    let text = [
      "unreferenced object 0xffff888004a3b000 (size 96):",
      "  comm \"hostile\", pid 120, jiffies 4294901234 (age 12.340s)",
      "  backtrace:", "    [<00000000f6a5a1b2>] kmalloc_trace+0x27/0x110",
      "    [<00000000c0ffee00>] 0xffffffffa0003120",
      "unreferenced object 0xffff888004a3b100 (size 32):",
      "  backtrace:", "    [<00000000f6a5a1b2>] acpi_init+0x27/0x110",
      "unreferenced object 0xffff888004a3b200 (size 32):",
      "    [<00000000f6a5a1b2>] vm_create+0x27/0x110 [apus]", "end",
    ]
    #expect(KernelLeak.all(in: text).map(\.isOurs) == [true, false, true])
  }

  @Test("A run fails where nobody looked for lost objects, but for a machine that restarted")
  func unlooked() {
    var report = Report()
    #expect(Detectors.leakProblem(report) != nil)
    report.console = ["[   50.0] reboot: Restarting system"]
    #expect(Detectors.leakProblem(report) == nil)
    report.add("file leaks.txt unreferenced object 0xffff888004a3b000 (size 96):")
    report.add("file leaks.txt     [<00000000c0ffee00>] 0xffffffffa0003120")
    #expect(Detectors.leakProblem(report) != nil)
  }

  @Test("A wanted line that the kernel's configuration lacks is named")
  func configuration() {
    let wanted = "# Why\nCONFIG_A=y\nCONFIG_B=y\n# CONFIG_C is not set\n# CONFIG_D is not set\n"
    #expect(
      DebugKernel.missing(of: wanted, in: "CONFIG_A=y\nCONFIG_D=y\n") == [
        "CONFIG_B=y", "# CONFIG_D is not set",
      ])
  }
}
