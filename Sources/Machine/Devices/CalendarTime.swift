// SPDX-License-Identifier: Apache-2.0
import Glibc

/// A moment in UTC, in the Gregorian calendar.
struct CalendarTime: Equatable {
  var year, month, day, hour, minute, second: Int
  /// 1 is Sunday.
  var weekday: Int

  init(secondsSince1970 seconds: Int) {
    var seconds = seconds
    var fields = tm()
    gmtime_r(&seconds, &fields)
    (year, month, day) = (Int(fields.tm_year) + 1900, Int(fields.tm_mon) + 1, Int(fields.tm_mday))
    (hour, minute, second) = (Int(fields.tm_hour), Int(fields.tm_min), Int(fields.tm_sec))
    weekday = Int(fields.tm_wday) + 1
  }
}
