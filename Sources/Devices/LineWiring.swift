// SPDX-License-Identifier: Apache-2.0
// Where interrupt lines lead: KVM_SET_GSI_ROUTING, as the driver wrote it into struct apus_vm.
import Contract

/// A set of interrupt lines: bit n is line n, 0 to 23.
public typealias LineSet = UInt32

/// Which inputs of the PICs and which pin of the I/O APIC each of the 24 lines drives.
public struct LineWiring {
  /// Lines that drive the PICs' input of the same number.
  private var picLines: LineSet = 0xffff
  /// By line; APUS_NO_PIN: none.
  private var pins: InlineArray<24, UInt8>
  /// By pin: the lines that drive it.
  private var lines: InlineArray<24, LineSet>

  /// As after KVM_CREATE_IRQCHIP: line n drives pin n.
  public init() {
    pins = InlineArray { UInt8($0) }
    lines = InlineArray { 1 << LineSet($0) }
  }

  /// Takes over what the driver wrote.
  public mutating func update(_ vm: UnsafePointer<apus_vm>) {
    picLines = unsafe vm.pointee.pic_lines & 0xffff
    unsafe withUnsafeBytes(of: vm.pointee.line_pins) { bytes in
      for pin in lines.indices { lines[pin] = 0 }
      for line in pins.indices {
        pins[line] = unsafe bytes[line]
        if pins[line] < 24 { lines[Int(pins[line])] |= 1 << LineSet(line) }
      }
    }
  }

  /// Lines that drive an input of the PICs.
  var reachPIC: LineSet { picLines }
  /// The I/O APIC's pin; one that does not exist is ignored there.
  mutating func pin(of line: Int) -> Int { Int(pins[line]) }
  /// The lines that drive a pin, 0 to 23.
  mutating func lines(of pin: Int) -> LineSet { lines[pin] }
}
