// SPDX-License-Identifier: Apache-2.0
import Foundation

extension Scenario {
  /// `apus trace` of a guest that boots, up to its end; and that a guest is left alone afterwards.
  static let trace: Scenario = {
    var scenario = Scenario(
      name: "trace", summary: "a trace of a guest from outside, in every format, to its end",
      seconds: 120,
      script: """
        cd /lab/guest
        dmesg -n 4
        load apus
        apus run --cpu 3 --name traced --no-console --quiet --kernel vmlinuz --initrd initramfs \\
          --append 'console=ttyS0 quiet LAB_WORK=boot' < /dev/null &
        guest=$!
        expect guest-runs within 20 sh -c 'apus trace traced --seconds 0.01 > /dev/null 2>&1'
        apus trace traced --seconds 0.3 --format perfetto --output /tmp/perfetto.json
        expect perfetto [ $? = 0 ]
        apus trace traced --seconds 100 --output /tmp/text
        expect to-its-end [ $? = 0 ]
        wait $guest
        expect guest-powered-off [ $? = 0 ]
        expect last-is-the-client sh -c 'tail -n 1 /tmp/text | grep -q " client "'
        value events $(wc -l < /tmp/text)
        value exits $(grep -c ' exit  ' /tmp/text)
        value entries $(grep -c ' entry  ' /tmp/text)
        value lost "$(grep -c 'were lost' /tmp/text)"
        grep ' exit  ' /tmp/text | awk '{ print $5 }' | sort | uniq -c | sort -rn | head -n 12 > /tmp/causes
        attach causes.txt /tmp/causes
        tail -n 400 /tmp/text > /tmp/end
        attach trace.txt /tmp/end
        head -c 200000 /tmp/perfetto.json > /tmp/part
        tail -c 2 /tmp/perfetto.json | tr -d '\\n' > /tmp/last
        expect perfetto-is-whole [ "$(cat /tmp/last)" = "}" ]
        attach perfetto.json /tmp/perfetto.json
        apus run --cpu 3 --name spins --no-console --quiet --kernel spin < /dev/null &
        guest=$!
        expect spin-runs within 10 sh -c 'apus trace spins --seconds 0.01 > /dev/null 2>&1'
        apus trace spins --seconds 0.2 --format json > /tmp/lines
        expect traced [ $? = 0 ]
        expect begins grep -q '"kind":"begin"' /tmp/lines
        # It makes no exit of its own: what there is came with the trace.
        expect guest-in-guest-mode [ $(grep -c '"kind":"exit"' /tmp/lines) -le 2 ]
        kill -TERM $guest
        wait $guest
        refuse nobody 'no guest' apus trace nobody
        expect host-unhurt clean_kernel_log

        """)
    scenario.suite = .soak
    scenario.expected = [
      "perfetto", "to-its-end", "last-is-the-client", "guest-in-guest-mode", "host-unhurt",
    ]
    scenario.checks = [
      .init("perfetto-has-slices") { perfettoProblem($0.text(of: "perfetto.json") ?? "") },
      .init("exits-and-entries") { report in
        let count = { (name: String) in report.values[name].flatMap(Int.init) ?? 0 }
        return count("exits") > 100 && abs(count("exits") - count("entries")) <= 2 + count("lost")
          ? nil : "\(count("exits")) exits, \(count("entries")) entries"
      },
    ]
    return scenario
  }()

  /// Of a file in the Trace Event Format: slices of a track follow one another.
  private static func perfettoProblem(_ text: String) -> String? {
    struct File: Decodable {
      var traceEvents: [Event]
      struct Event: Decodable {
        var name: String
        var ph: String
        var ts: Double?
        var dur: Double?
        var tid: Int
      }
    }
    guard let file = try? JSONDecoder().decode(File.self, from: Data(text.utf8)) else {
      return "it is no such file"
    }
    let slices = file.traceEvents.filter { $0.ph == "X" }.sorted { ($0.ts ?? 0) < ($1.ts ?? 0) }
    guard slices.contains(where: { $0.name == "guest" }), slices.count > 10 else {
      return "\(slices.count) slices"
    }
    for (one, next) in zip(slices, slices.dropFirst())
    where (one.ts ?? 0) + (one.dur ?? 0) > (next.ts ?? 0) + 0.002 {
      return "\(one.name) at \(one.ts ?? 0) runs into \(next.name)"
    }
    return nil
  }
}
