// SPDX-License-Identifier: Apache-2.0
import Contract

/// `struct kvm_irq_routing`: which pins of which interrupt controller a line drives, and which lines
/// stand for messages.
enum InterruptRouting {
  /// `line` drives `pin` of `chip` (KVM_IRQCHIP_*).
  struct Entry: Equatable {
    var line: UInt32
    var chip: UInt32
    var pin: UInt32
  }

  static var pc: [Entry] {
    let primary = (0..<8).map { Entry(line: $0, chip: UInt32(KVM_IRQCHIP_PIC_MASTER), pin: $0) }
    let secondary = (8..<16).map {
      Entry(line: $0, chip: UInt32(KVM_IRQCHIP_PIC_SLAVE), pin: $0 - 8)
    }
    let ioapic = (0..<24 as Range<UInt32>).filter { $0 != 2 }.map {
      Entry(line: $0, chip: UInt32(KVM_IRQCHIP_IOAPIC), pin: $0 == 0 ? 2 : $0)
    }
    return primary + secondary + ioapic
  }

  /// The structure in 32-bit words: count and flags, then for each entry line, type, flags,
  /// padding and a union of eight words that begins with chip and pin, or with a message's address and
  /// data.
  static func encode(_ entries: [Entry], messages: [InterruptMessage] = []) -> [UInt32] {
    var words: [UInt32] = [UInt32(entries.count + messages.count), 0]
    for entry in entries {
      words += [entry.line, UInt32(KVM_IRQ_ROUTING_IRQCHIP), 0, 0, entry.chip, entry.pin]
      words += [0, 0, 0, 0, 0, 0]
    }
    for message in messages {
      words += [message.line, UInt32(KVM_IRQ_ROUTING_MSI), 0, 0]
      words += [UInt32(truncatingIfNeeded: message.address), UInt32(message.address >> 32)]
      words += [message.data, 0, 0, 0, 0, 0]
    }
    return words
  }
}

/// A line that no interrupt controller has: an edge on it is a message to a local APIC (Intel SDM 3A,
/// 11.11).
public struct InterruptMessage: Equatable, Sendable {
  /// The number of the line, KVM's GSI: beyond the 24 of the IOAPIC.
  public var line: UInt32
  public var address: UInt64
  public var data: UInt32

  public init(line: UInt32, address: UInt64, data: UInt32) {
    self.line = line
    self.address = address
    self.data = data
  }
}
