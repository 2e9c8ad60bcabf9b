/// A moment in UTC, as text: `2026-11-30T05:36:37Z` (RFC 3339).
package struct UTCTime: CustomStringConvertible {
    /// Seconds since 1970, at most the end of the year 9999.
    private let seconds: UInt64

    /// The last moment that has a year of four digits.
    private static let last: UInt64 = 253_402_300_799

    /// A moment in milliseconds since 1970. Later ones than the end of the year 9999 are taken for that.
    package init(milliseconds: UInt64) { seconds = min(milliseconds / 1000, Self.last) }

    package var description: String {
        let (year, month, day) = date
        let time = seconds % 86_400
        return "\(padded(year, to: 4))-\(padded(month))-\(padded(day))"
            + "T\(padded(time / 3_600)):\(padded(time / 60 % 60)):\(padded(time % 60))Z"
    }

    /// The Gregorian date. Years are counted from March here, so that a leap day is the last of its year.
    private var date: (year: UInt64, month: UInt64, day: UInt64) {
        // Days since 1 March of the year 0, which 1970 is 719,468 days after; 400 years have 146,097 days.
        let days = seconds / 86_400 + 719_468
        let dayOfEra = days % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        // Five months from March on have 153 days.
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        let year = yearOfEra + days / 146_097 * 400 + (month <= 2 ? 1 : 0)
        return (year, month, day)
    }

    private func padded(_ number: UInt64, to length: Int = 2) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, length - digits.count)) + digits
    }
}
