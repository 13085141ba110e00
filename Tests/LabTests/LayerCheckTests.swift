// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Lab

@Suite("The check of layers")
struct LayerCheckTests {
  private let layers = Layers(
    module: "Sources/Example", folders: ["Low", "High"], imports: [],
    looksAtMembers: true)
  private let high = SwiftFile(name: "High.swift", text: "struct Tower {\n  func climb() {}\n}\n")

  private func check(low text: String, others: Set<String> = []) -> LayerCheck {
    LayerCheck(
      layers, files: ["Low": [SwiftFile(name: "Low.swift", text: text)], "High": [high]],
      others: others)
  }

  @Test("An arrow that points upwards is named", arguments: ["Tower", "climb"])
  func upwards(name: String) {
    let violation = LayerCheck.Violation(
      file: "Sources/Example/Low/Low.swift", name: name, folder: "High")
    #expect(check(low: "func walk() { \(name)() }\n").violations == [violation])
  }

  @Test("An arrow that points downwards is counted")
  func downwards() {
    let low = SwiftFile(name: "Low.swift", text: "struct Ground {}\n")
    let high = SwiftFile(name: "High.swift", text: "let ground = Ground()\n")
    let check = LayerCheck(layers, files: ["Low": [low], "High": [high]])
    #expect(check.violations == [])
    #expect(check.uses == ["High": ["Low": 1]])
  }

  @Test(
    "What only looks like a use is none",
    arguments: [
      "// Tower\n", "let word = \"Tower\"\n", "func walk(climb: Int) { print(climb) }\n",
      "func walk() {\n  let climb = 1\n  print(climb)\n}\n",
      "enum Way {\n  case climb, fall\n}\nlet way = Way.climb\n",
    ])
  func notAUse(text: String) {
    #expect(check(low: text).violations == [])
  }

  @Test("A name that another module declares too says nothing")
  func ambiguous() {
    #expect(check(low: "func walk() { climb() }\n", others: ["climb"]).violations == [])
  }

  @Test("Where only types count, a member is no use of a layer")
  func types() {
    let layers = Layers(
      module: "Sources/Example", folders: ["Low", "High"], imports: [], looksAtMembers: false)
    let low = SwiftFile(
      name: "Low.swift", text: "func walk(_ place: Tower, _ other: Hill) { climb() }\n")
    let hill = SwiftFile(name: "Hill.swift", text: "extension Hill {\n  func climb() {}\n}\n")
    let check = LayerCheck(layers, files: ["Low": [low], "High": [high, hill]])
    #expect(check.violations.map(\.name) == ["Tower"])
  }

  @Test("A switch declares nothing")
  func switches() {
    let text = "func walk(_ way: Way) {\n  switch way {\n  case .climb: break\n  }\n}\n"
    #expect(check(low: text).violations.map(\.name) == ["climb"])
  }
}
