import Foundation

/// A time, as commands print it. A sender can claim any time. If the time is after the year 9999, commands print the end of
/// that year.
struct Timestamp: Hashable, Sendable {
    /// Milliseconds since 1970.
    let ms: UInt64

    init(ms: UInt64) { self.ms = min(ms, LocalTime.latestMs) }

    init(seconds: UInt64) { self.init(ms: min(seconds, LocalTime.latestMs / 1000) * 1000) }

    private var date: Date { Date(timeIntervalSince1970: Double(ms) / 1000) }

    /// The time for programs: `2026-11-24T10:15:00.123Z`.
    var iso: String { date.formatted(.iso8601.year().month().day().time(includingFractionalSeconds: true)) + "Z" }

    /// The time for people, in their time zone: `2026-11-24 10:15`.
    var local: String { LocalTime(ms: ms).text }
}
