// SPDX-License-Identifier: Apache-2.0

extension Scenario {
  /// What an exit costs a guest of KVM and one of Apus, by the guest's own TSC: under Bochs that counts
  /// instructions, of the host and the client too where they have to answer.
  static let exitCosts: Scenario = {
    var scenario = Scenario(
      name: "exit-costs", summary: "what an exit costs: KVM and Apus, the same guest on VT-x",
      seconds: 900,
      script: """
        dmesg -n 4
        load kvm-intel
        load apus
        costs() {
          step "$1: exits one by one, in a guest of KVM's interface"
          timeout 400 apus run --device /dev/$1 --cpu 1 --quiet --kernel /lab/cost-guest \\
            < /dev/null > /tmp/$1 2> /tmp/$1.said
          expect $1-powered-off [ $? = 0 ]
          attach $1 /tmp/$1
        }
        costs kvm
        costs apus
        expect host-unhurt clean_kernel_log

        """)
    scenario.suite = .bench
    scenario.machine = HostMachine(.intel)
    scenario.files = ["lab/cost-guest": "build/cost-guest"]
    scenario.expected = ["kvm-powered-off", "apus-powered-off", "host-unhurt"]
    scenario.checks = [
      .init("every-exit-measured") { report in
        switch HostedCost.missing(in: report) {
        case []: nil
        case let missing: "without " + missing.joined(separator: ", ")
        }
      },
      .init("port-of-the-client") { report in
        guard let cost = HostedCost.all(in: report).first(where: { $0.exit == "port-client" })
        else { return "not measured" }
        return cost.apus <= HostedCost.portCeiling
          ? nil : "\(cost.apus) instructions, more than \(HostedCost.portCeiling)"
      },
    ]
    scenario.measure = { HostedCost.measurement(HostedCost.all(in: $0)) }
    return scenario
  }()
}
