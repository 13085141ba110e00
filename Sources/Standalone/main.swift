// SPDX-License-Identifier: Apache-2.0
import Entry
import StandaloneEntry

/// The machine's first CPU arrives here from start.S and plays the driver's part; the others
/// are lent to the monitor. `information` is what QEMU's PVH loader or rom.S passed.
@c(standalone_main)
func standaloneMain(_ information: UnsafePointer<hvm_start_info>) {
  Console.begin()
  let boot = unsafe BootInformation(information)
  Memory.begin(at: imageEnd, end: boot.monitor)
  FaultReport.install()
  LocalAPIC.enable()
  Clock.calibrate()
  guard let image = MonitorImage(at: boot.monitor) else {
    Console.write("standalone: the monitor's image is missing or malformed\n")
    Machine.end(success: false)
  }
  Machine.end(success: TestRun(image: image, boot: boot).run())
}
