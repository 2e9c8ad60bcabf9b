import Foundation

/// A time by the user's clock, in parts. The C library computes all times that Kith shows, because it knows every form
/// of the variable TZ, paths included.
struct LocalTime: Hashable, Sendable {
    /// The latest time shown, in milliseconds since 1970: the end of the year 9999. No true time is later, and no
    /// format holds a later one. A sender may claim any.
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

    /// Whether both times are on the same calendar day.
    func isSameDay(as other: LocalTime) -> Bool { (year, month, day) == (other.year, other.month, other.day) }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}

extension LocalTime {
    /// Converts milliseconds since 1970. A time after the year 9999 counts as its end.
    init(ms: UInt64) {
        var seconds = time_t(min(ms, Self.latestMs) / 1000)
        var parts = tm()
        // A failure would leave the parts at the year 1900. No time up to the year 9999 leads to one.
        localtime_r(&seconds, &parts)
        self.init(
            year: Int(parts.tm_year) + 1900, month: Int(parts.tm_mon) + 1, day: Int(parts.tm_mday),
            weekday: Int(parts.tm_wday), hour: Int(parts.tm_hour), minute: Int(parts.tm_min))
    }
}
