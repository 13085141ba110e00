// SPDX-License-Identifier: Apache-2.0
import Contract

/// enum apus_exit in words.
enum ExitNames {
  static func name(_ cause: apus_exit) -> StaticString {
    switch cause {
    case APUS_EXIT_NMI: "nmi"
    case APUS_EXIT_EXCEPTION: "exception"
    case APUS_EXIT_CPUID: "cpuid"
    case APUS_EXIT_HLT: "hlt"
    case APUS_EXIT_IO: "io"
    case APUS_EXIT_IO_CLIENT: "io-client"
    case APUS_EXIT_MMIO: "mmio"
    case APUS_EXIT_MMIO_CLIENT: "mmio-client"
    case APUS_EXIT_MSR_READ: "msr-read"
    case APUS_EXIT_MSR_WRITE: "msr-write"
    case APUS_EXIT_APIC_ICR: "apic-icr"
    case APUS_EXIT_APIC_EOI: "apic-eoi"
    case APUS_EXIT_APIC_TIMER: "apic-timer"
    case APUS_EXIT_APIC_OTHER: "apic-other"
    case APUS_EXIT_CONTROL_REGISTER: "control-register"
    case APUS_EXIT_INTERRUPT_WINDOW: "interrupt-window"
    case APUS_EXIT_HYPERCALL: "hypercall"
    case APUS_EXIT_NESTED_FAULT: "nested-fault"
    case APUS_EXIT_SHUTDOWN: "shutdown"
    case APUS_EXIT_INVALID_STATE: "invalid-state"
    case APUS_EXIT_VIRTUALISATION: "virtualisation"
    case APUS_EXIT_PREEMPTION_TIMER: "preemption-timer"
    case APUS_EXIT_XSETBV: "xsetbv"
    case APUS_EXIT_INTERRUPT: "interrupt"
    case APUS_EXIT_COALESCED: "coalesced"
    default: "other"
    }
  }
}
