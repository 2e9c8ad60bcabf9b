import Foundation

/// A time as commands print it. Whatever number a sender claims, something comes out.
struct Moment: Hashable, Sendable {
    /// Milliseconds since 1970.
    let ms: UInt64

    /// The end of the year 9999: later than any true time, and the last that all formats can hold.
    private static let latestMs: UInt64 = 253_402_300_799_999

    init(ms: UInt64) { self.ms = min(ms, Self.latestMs) }

    init(seconds: UInt64) { self.init(ms: min(seconds, Self.latestMs / 1000) * 1000) }

    private var date: Date { Date(timeIntervalSince1970: Double(ms) / 1000) }

    /// For programs: `2026-11-24T10:15:00.123Z`.
    var iso: String { date.formatted(.iso8601.year().month().day().time(includingFractionalSeconds: true)) + "Z" }

    /// For people, by their clock: `2026-11-24 10:15`.
    var local: String { local("%Y-%m-%d %H:%M") }

    private func local(_ format: String) -> String {
        var seconds = time_t(ms / 1000)
        var parts = tm()
        guard localtime_r(&seconds, &parts) != nil else { return "?" }
        var text = [CChar](repeating: 0, count: 64)
        let count = strftime(&text, text.count, format, &parts)
        return String(decoding: text.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
