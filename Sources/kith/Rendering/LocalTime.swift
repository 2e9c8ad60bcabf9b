import Foundation

/// A time by the user's clock, in parts. The C library knows every form that the variable TZ may have, paths among them, and
/// is asked for all times that Kith shows.
struct LocalTime: Hashable, Sendable {
    /// The latest time that is shown, in milliseconds since 1970: the end of the year 9999, which is later than any true time
    /// and the last that all formats can hold. A sender may claim any.
    static let latestMs: UInt64 = 253_402_300_799_999

    let year: Int
    /// 1 to 12.
    let month: Int
    let day: Int
    /// 0 is Sunday.
    let weekday: Int
    let hour: Int
    let minute: Int

    /// `2026-11-24 10:15`.
    var text: String { "\(year)-\(Self.two(month))-\(Self.two(day)) \(clock)" }

    /// `10:15`.
    var clock: String { "\(Self.two(hour)):\(Self.two(minute))" }

    /// Whether both are on the same day of the calendar.
    func isSameDay(as other: LocalTime) -> Bool { (year, month, day) == (other.year, other.month, other.day) }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}

extension LocalTime {
    /// The parts of a time, in milliseconds since 1970. A time after the year 9999 counts as its end.
    init(ms: UInt64) {
        var seconds = time_t(min(ms, Self.latestMs) / 1000)
        var parts = tm()
        // Without a result, which no time up to the year 9999 leads to, the parts are those of the year 1900.
        localtime_r(&seconds, &parts)
        self.init(
            year: Int(parts.tm_year) + 1900, month: Int(parts.tm_mon) + 1, day: Int(parts.tm_mday),
            weekday: Int(parts.tm_wday), hour: Int(parts.tm_hour), minute: Int(parts.tm_min))
    }
}
