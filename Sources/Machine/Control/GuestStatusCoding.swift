// SPDX-License-Identifier: Apache-2.0

/// A status as it travels from a guest's process to `apus ps`, and from there to programs: some
/// members follow from others, and are there for those programs.
extension GuestStatus: Codable {
  private enum CodingKeys: CodingKey {
    case name, pid, state, device, hypervisor, cpus, memory, uptimeNs, exits, vcpus
  }

  public init(from decoder: any Decoder) throws {
    let members = try decoder.container(keyedBy: CodingKeys.self)
    name = try members.decode(GuestName.self, forKey: .name)
    pid = try members.decode(Int32.self, forKey: .pid)
    state = try members.decode(State.self, forKey: .state)
    device = try members.decode(String.self, forKey: .device)
    hypervisor = try members.decode(Hypervisor.self, forKey: .hypervisor)
    memory = try members.decode(UInt64.self, forKey: .memory)
    uptime = .nanoseconds(try members.decode(Int64.self, forKey: .uptimeNs))
    virtualCPUs = try members.decode([VirtualCPU].self, forKey: .vcpus)
  }

  public func encode(to encoder: any Encoder) throws {
    var members = encoder.container(keyedBy: CodingKeys.self)
    try members.encode(name, forKey: .name)
    try members.encode(pid, forKey: .pid)
    try members.encode(state, forKey: .state)
    try members.encode(device, forKey: .device)
    try members.encode(hypervisor, forKey: .hypervisor)
    try members.encode(cpus, forKey: .cpus)
    try members.encode(memory, forKey: .memory)
    try members.encode(uptime.nanoseconds, forKey: .uptimeNs)
    try members.encode(exits.total, forKey: .exits)
    try members.encode(virtualCPUs, forKey: .vcpus)
  }
}

extension GuestStatus.VirtualCPU: Codable {
  private enum CodingKeys: CodingKey {
    case id, cpu, apicMode, interrupts, timer, exits, exitsByReason
  }

  public init(from decoder: any Decoder) throws {
    let members = try decoder.container(keyedBy: CodingKeys.self)
    id = try members.decode(Int.self, forKey: .id)
    cpu = try members.decode(Int?.self, forKey: .cpu)
    apic = try members.decode(VirtualCPUResult.APICMode?.self, forKey: .apicMode)
    interrupts = try members.decode(VirtualCPUResult.Mode?.self, forKey: .interrupts)
    timer = try members.decode(VirtualCPUResult.Mode?.self, forKey: .timer)
    exits = ExitCounts(
      total: try members.decode(UInt64.self, forKey: .exits),
      byCause: try members.decode([String: UInt64].self, forKey: .exitsByReason))
  }

  /// What is not known is null.
  public func encode(to encoder: any Encoder) throws {
    var members = encoder.container(keyedBy: CodingKeys.self)
    try members.encode(id, forKey: .id)
    try members.encode(cpu, forKey: .cpu)
    try members.encode(apic, forKey: .apicMode)
    try members.encode(interrupts, forKey: .interrupts)
    try members.encode(timer, forKey: .timer)
    try members.encode(exits.total, forKey: .exits)
    try members.encode(exits.byCause, forKey: .exitsByReason)
  }
}

extension GuestName: Codable {
  public init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    guard let name = GuestName(try value.decode(String.self)) else {
      throw DecodingError.dataCorruptedError(in: value, debugDescription: "no name of a guest")
    }
    self = name
  }

  public func encode(to encoder: any Encoder) throws {
    var value = encoder.singleValueContainer()
    try value.encode(description)
  }
}
