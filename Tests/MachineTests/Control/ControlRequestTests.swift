// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Machine

@Suite("A control request")
struct ControlRequestTests {
  @Test(
    "is read from its line",
    arguments: [
      ("status", ControlRequest.status), ("stop", .stop), ("kill", .kill), ("console", .console),
      ("nmi", .nmi(virtualCPU: 0)), ("nmi 7", .nmi(virtualCPU: 7)),
    ])
  func read(line: String, request: ControlRequest) throws {
    #expect(try ControlRequest(line: Array(line.utf8)) == request)
    #expect(try ControlRequest(line: Array(request.line.utf8.dropLast())) == request)
  }

  @Test(
    "is nothing else",
    arguments: [
      "", " status", "status ", "STATUS", "status now", "halt", "nmi 1 2", "stop\r", "\u{0}",
    ])
  func unknown(line: String) {
    #expect(throws: ControlRequestError.unknown) { try ControlRequest(line: Array(line.utf8)) }
  }

  @Test("names a vCPU by digits", arguments: ["nmi ", "nmi -1", "nmi +1", "nmi x", "nmi 1e3"])
  func notANumber(line: String) {
    #expect(throws: ControlRequestError.notANumber) { try ControlRequest(line: Array(line.utf8)) }
  }

  @Test("with a vCPU beyond all numbers is refused")
  func hugeNumber() {
    let line = Array("nmi 99999999999999999999".utf8)
    #expect(throws: ControlRequestError.notANumber) { try ControlRequest(line: line) }
  }

  @Test("has 64 bytes at most")
  func tooLong() {
    let line = [UInt8](repeating: UInt8(ascii: "9"), count: 65)
    #expect(throws: ControlRequestError.tooLong) { try ControlRequest(line: line) }
  }

  @Test("Lines come together from pieces, and several come out of one piece")
  func pieces() {
    var lines = LineBuffer(limit: 8)
    var bytes = Array("sta".utf8)[...]
    var found = [lines.next(&bytes)]
    bytes = Array("tus\nnmi\nst".utf8)[...]
    for _ in 0..<3 { found.append(lines.next(&bytes)) }
    #expect(found == [nil, Array("status".utf8), Array("nmi".utf8), nil])
    #expect(bytes.isEmpty)
  }

  @Test("A line without an end keeps no more than the limit and shows that it is too long")
  func overfull() {
    var lines = LineBuffer(limit: 8)
    for _ in 0..<1000 {
      var bytes = Array("12345678".utf8)[...]
      let line = lines.next(&bytes)
      #expect(line == nil)
    }
    #expect(lines.isOverfull)
    var end: ArraySlice<UInt8> = [UInt8(ascii: "\n")]
    let line = lines.next(&end)
    #expect(line?.count == 9)
    #expect(!lines.isOverfull)
  }
}
