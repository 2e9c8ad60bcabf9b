import Foundation

/// A time as commands print it. A sender may claim any number; it is clamped to the year 9999.
struct Timestamp: Hashable, Sendable {
    /// Milliseconds since 1970.
    let ms: UInt64

    init(ms: UInt64) { self.ms = min(ms, LocalTime.latestMs) }

    init(seconds: UInt64) { self.init(ms: min(seconds, LocalTime.latestMs / 1000) * 1000) }

    private var date: Date { Date(timeIntervalSince1970: Double(ms) / 1000) }

    /// For programs: `2026-11-24T10:15:00.123Z`.
    var iso: String { date.formatted(.iso8601.year().month().day().time(includingFractionalSeconds: true)) + "Z" }

    /// For people, by their clock: `2026-11-24 10:15`.
    var local: String { LocalTime(ms: ms).text }
}
