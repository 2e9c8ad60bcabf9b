/// Decides when a line with the day is printed between messages, and formats times. The type performs no input or output.
struct ChatDay {
    private static let days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]

    private var last: UInt64?
    /// Converts milliseconds since 1970 to the user's local time.
    let local: @Sendable (UInt64) -> LocalTime

    init(local: @escaping @Sendable (UInt64) -> LocalTime = LocalTime.init(ms:)) { self.local = local }

    /// Returns the line to print before a message that was sent at a given time; `nil` for none. A sender's clock may be wrong.
    /// Therefore the printed day never goes back, and is never later than `now`.
    mutating func line(before sentAtMs: UInt64, now: UInt64) -> String? {
        let time = max(last ?? 0, min(sentAtMs, now))
        defer { last = time }
        guard let last else { return day(time) }
        return local(last).isSameDay(as: local(time)) ? nil : day(time)
    }

    /// Formats a day as `── Tuesday, 24 November 2026 ──`.
    func day(_ ms: UInt64) -> String {
        let time = local(ms)
        return "── \(Self.days[time.weekday % 7]), \(time.day) \(Self.months[(time.month - 1) % 12]) \(time.year) ──"
    }

    /// Formats the time of day as `10:53`. A sender's clock may be wrong, so the time is never later than `now`.
    func clock(_ sentAtMs: UInt64, now: UInt64) -> String { local(min(sentAtMs, now)).clock }

    /// Formats a time as `24 Nov 2026 10:53`.
    func short(_ ms: UInt64) -> String {
        let time = local(ms)
        return "\(time.day) \(Self.months[(time.month - 1) % 12].prefix(3)) \(time.year) \(time.clock)"
    }
}
