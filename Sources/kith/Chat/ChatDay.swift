import Foundation

/// Tells when it is time for a line with the day or the hour between messages. Pure.
struct ChatDay {
    /// After a silence as long as this, the time is said.
    private static let silenceMs: UInt64 = 15 * 60_000

    private static let days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]

    private let calendar: Calendar
    private var last: UInt64?

    init(timeZone: TimeZone) {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = timeZone
        self.calendar = calendar
    }

    /// Where the days begin.
    var timeZone: TimeZone { calendar.timeZone }

    /// What to print in front of a message that was sent at this time. A sender's clock may be wrong: time only goes
    /// forward here, and not beyond now.
    mutating func line(before sentAtMs: UInt64, now: UInt64) -> String? {
        let time = max(last ?? 0, min(sentAtMs, now))
        defer { last = time }
        guard let last else { return day(time) }
        if !calendar.isDate(date(last), inSameDayAs: date(time)) { return day(time) }
        return time - last >= Self.silenceMs ? "── \(clock(time)) ──" : nil
    }

    /// `── Tuesday, 24 November 2026 ──`.
    func day(_ ms: UInt64) -> String {
        let parts = calendar.dateComponents([.weekday, .day, .month, .year], from: date(ms))
        let weekday = Self.days[((parts.weekday ?? 1) - 1) % 7]
        let month = Self.months[((parts.month ?? 1) - 1) % 12]
        return "── \(weekday), \(parts.day ?? 0) \(month) \(parts.year ?? 0) ──"
    }

    /// `24 Nov 2026 10:53`.
    func short(_ ms: UInt64) -> String {
        let parts = calendar.dateComponents([.day, .month, .year], from: date(ms))
        let month = Self.months[((parts.month ?? 1) - 1) % 12].prefix(3)
        return "\(parts.day ?? 0) \(month) \(parts.year ?? 0) \(clock(ms))"
    }

    private func clock(_ ms: UInt64) -> String {
        let parts = calendar.dateComponents([.hour, .minute], from: date(ms))
        func two(_ number: Int?) -> String { (number ?? 0) < 10 ? "0\(number ?? 0)" : "\(number ?? 0)" }
        return "\(two(parts.hour)):\(two(parts.minute))"
    }

    /// Whatever a sender says, the calendar has to stand it: no later than the year 9999.
    private func date(_ ms: UInt64) -> Date {
        Date(timeIntervalSince1970: Double(min(ms, 253_402_300_799_000)) / 1000)
    }
}
