// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Machine

@Suite("Calendar time")
struct CalendarTimeTests {
  /// From `date -u -d @SECONDS '+%Y %m %d %H %M %S %w'`.
  static let moments: [(seconds: Int, fields: [Int])] = [
    (0, [1970, 1, 1, 0, 0, 0, 4]),
    (951_782_400, [2000, 2, 29, 0, 0, 0, 2]),
    (951_868_799, [2000, 2, 29, 23, 59, 59, 2]),
    (1_709_251_199, [2024, 2, 29, 23, 59, 59, 4]),
    (1_709_251_200, [2024, 3, 1, 0, 0, 0, 5]),
    (1_735_689_599, [2024, 12, 31, 23, 59, 59, 2]),
    (1_767_225_600, [2026, 1, 1, 0, 0, 0, 4]),
    (4_107_542_400, [2100, 3, 1, 0, 0, 0, 1]),
  ]

  @Test("is what date(1) says", arguments: moments)
  func moment(seconds: Int, fields: [Int]) {
    let time = CalendarTime(secondsSince1970: seconds)
    #expect(
      [time.year, time.month, time.day, time.hour, time.minute, time.second]
        == Array(fields.dropLast()))
    #expect(time.weekday == fields[6] + 1)
  }
}
