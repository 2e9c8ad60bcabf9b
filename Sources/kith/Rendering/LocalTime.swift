import Foundation

/// A time in the user's time zone, in parts. The C library computes all times that Kith shows. It knows every form of the
/// variable TZ, including paths.
struct LocalTime: Hashable, Sendable {
    /// The latest time that is shown, in milliseconds since 1970: the end of the year 9999. A sender can claim any time, but no
    /// true time is later. The formats have four digits for the year.
    static let latestMs: UInt64 = 253_402_300_799_999

    let year: Int
    /// The month, 1 to 12.
    let month: Int
    let day: Int
    /// The day of the week; 0 is Sunday.
    let weekday: Int
    let hour: Int
    let minute: Int

    /// The time in the form `2026-11-24 10:15`.
    var text: String { "\(year)-\(Self.two(month))-\(Self.two(day)) \(clock)" }

    /// The time of day in the form `10:15`.
    var clock: String { "\(Self.two(hour)):\(Self.two(minute))" }

    /// Whether both times are on the same calendar day.
    func isSameDay(as other: LocalTime) -> Bool { (year, month, day) == (other.year, other.month, other.day) }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}

extension LocalTime {
    /// Converts milliseconds since 1970. A time after the year 9999 is treated as the end of that year.
    init(ms: UInt64) {
        var seconds = time_t(min(ms, Self.latestMs) / 1000)
        var parts = tm()
        // After a failure, the parts would show the year 1900. But the call does not fail for any time up to the year 9999.
        localtime_r(&seconds, &parts)
        self.init(
            year: Int(parts.tm_year) + 1900, month: Int(parts.tm_mon) + 1, day: Int(parts.tm_mday),
            weekday: Int(parts.tm_wday), hour: Int(parts.tm_hour), minute: Int(parts.tm_min))
    }
}
