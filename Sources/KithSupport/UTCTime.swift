/// A time in UTC, to the second, as text.
package struct UTCTime: CustomStringConvertible {
    /// Seconds since 1970.
    private let seconds: UInt64

    /// The last second of the year 9999.
    private static let last: UInt64 = 253_402_300_799

    /// Creates a time from milliseconds since 1970.
    package init(milliseconds: UInt64) { seconds = milliseconds / 1000 }

    private init(seconds: UInt64) { self.seconds = seconds }

    /// The time in the form `2026-11-30T05:36:37Z` (RFC 3339). RFC 3339 has no year after 9999, so a time after 9999 is shown as
    /// the last second of 9999.
    package var description: String {
        let moment = UTCTime(seconds: min(seconds, Self.last))
        return "\(moment.day)T\(moment.clock)Z"
    }

    /// The time in the form `2026-11-30 05:36:37 UTC`, for users.
    package var spaced: String { "\(day) \(clock) UTC" }

    private var day: String {
        let (year, month, day) = date
        return "\(year)-\(padded(month))-\(padded(day))"
    }

    private var clock: String {
        "\(padded(seconds / 3_600 % 24)):\(padded(seconds / 60 % 60)):\(padded(seconds % 60))"
    }

    /// The Gregorian date. The calculation lets a year begin in March, so that a leap day is the last day of a year.
    private var date: (year: UInt64, month: UInt64, day: UInt64) {
        // Days since 1 March of the year 0, which is 719,468 days before 1 January 1970. 400 years have 146,097 days.
        let days = seconds / 86_400 + 719_468
        let dayOfEra = days % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        // From March on, every five months together have 153 days.
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + days / 146_097 * 400 + (month <= 2 ? 1 : 0)
        return (year, month, day)
    }

    private func padded(_ number: UInt64) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
