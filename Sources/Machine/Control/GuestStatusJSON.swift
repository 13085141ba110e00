// SPDX-License-Identifier: Apache-2.0

/// A status as it travels from a guest's process to `apus ps`, and from there to programs.
extension GuestStatus {
  public var json: JSON {
    .object([
      .init("name", .string("\(name)")),
      .init("pid", .count(pid)),
      .init("state", .string(state.rawValue)),
      .init("device", .string(device)),
      .init("hypervisor", .string(isApus ? "apus" : "kvm")),
      .init("cpus", .array(cpus.map { .count($0) })),
      .init("memory", .count(memory)),
      .init("uptime_ns", .count(uptime.nanoseconds)),
      .init("exits", .count(exits.total)),
      .init("vcpus", .array(virtualCPUs.map(\.json))),
    ])
  }

  init?(_ json: JSON) {
    guard let name = json["name"]?.string.flatMap(GuestName.init),
      let pid = json["pid"]?.integer.flatMap(Int32.init(exactly:)),
      let state = json["state"]?.string.flatMap(State.init),
      let device = json["device"]?.string, let hypervisor = json["hypervisor"]?.string,
      let memory = json["memory"]?.integer.flatMap(UInt64.init(exactly:)),
      let uptime = json["uptime_ns"]?.integer, let list = json["vcpus"]?.array
    else { return nil }
    let virtualCPUs = list.compactMap(VirtualCPU.init)
    guard virtualCPUs.count == list.count else { return nil }
    self.init(
      name: name, pid: pid, state: state, device: device, isApus: hypervisor == "apus",
      memory: memory, uptime: .nanoseconds(uptime), virtualCPUs: virtualCPUs)
  }
}

extension GuestStatus.VirtualCPU {
  var json: JSON {
    .object([
      .init("id", .count(id)),
      .init("cpu", .optional(cpu) { .count($0) }),
      .init("apic_mode", .optional(apic) { .string($0.rawValue) }),
      .init("interrupts", .optional(interrupts, JSONReport.mode)),
      .init("timer", .optional(timer, JSONReport.mode)),
      .init("exits", .count(exits.total)),
      .init("exits_by_reason", JSONReport.reasons(exits)),
    ])
  }

  init?(_ json: JSON) {
    guard let id = json["id"]?.integer, let total = json["exits"]?.integer,
      let causes = json["exits_by_reason"]?.members
    else { return nil }
    let byCause = causes.compactMap { member in
      member.value.integer.map { ExitCounts.Cause(name: member.name, count: UInt64(clamping: $0)) }
    }
    guard byCause.count == causes.count else { return nil }
    self.init(
      id: Int(id), cpu: json["cpu"]?.integer.map(Int.init),
      exits: ExitCounts(total: UInt64(clamping: total), byCause: byCause),
      interrupts: Self.mode(json["interrupts"]), timer: Self.mode(json["timer"]),
      apic: json["apic_mode"]?.string.flatMap(VirtualCPUResult.APICMode.init))
  }

  private static func mode(_ json: JSON?) -> VirtualCPUResult.Mode? {
    guard let name = json?["mode"]?.string, let reason = json?["reason"]?.string else { return nil }
    return VirtualCPUResult.Mode(isDirect: name == "direct", reason: reason)
  }
}
