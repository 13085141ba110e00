// SPDX-License-Identifier: Apache-2.0

/// A moment in UTC, in the Gregorian calendar.
struct CalendarTime: Equatable {
  var year, month, day, hour, minute, second: Int
  /// 1 is Sunday.
  var weekday: Int

  init(secondsSince1970 seconds: Int) {
    var days = seconds / 86_400
    let rest = seconds % 86_400
    (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60)
    weekday = (days + 4) % 7 + 1  // 1970 began on a Thursday
    year = 1970
    while days >= Self.length(ofYear: year) {
      days -= Self.length(ofYear: year)
      year += 1
    }
    let february = Self.length(ofYear: year) - 337
    month = 1
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
      guard days >= length else { break }
      days -= length
      month += 1
    }
    day = days + 1
  }

  private static func length(ofYear year: Int) -> Int {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 366 : 365
  }
}
