import Foundation
import Testing

@testable import kith

@Suite struct ChatDayTests {
    /// 24 November 2026, 10:53:20 UTC.
    private let morning: UInt64 = 1_795_517_600_000
    private let hour: UInt64 = 3_600_000

    private func day(_ zone: String = "UTC") throws -> ChatDay {
        let zone = try #require(TimeZone(identifier: zone))
        return ChatDay { LocalTime(ms: $0, in: zone) }
    }

    @Test("each day is named once, in the user's time zone")
    func days() throws {
        var day = try day()
        let now = morning + 100 * hour
        #expect(day.line(before: morning, now: now) == "── Tuesday, 24 November 2026 ──")
        #expect(day.line(before: morning + 60_000, now: now) == nil)
        #expect(day.line(before: morning + 14 * hour, now: now) == "── Wednesday, 25 November 2026 ──")
        #expect(try self.day("Asia/Tokyo").day(morning + 5 * hour) == "── Wednesday, 25 November 2026 ──")
    }

    @Test("the time of day is never later than now")
    func clock() throws {
        let (day, now) = (try day(), morning + hour)
        #expect(day.clock(morning, now: now) == day.clock(morning, now: morning))
        #expect(day.clock(now + 86_400_000, now: now) == day.clock(now, now: now))
    }

    @Test("a wrong clock never shows an earlier or a future day")
    func wrongClocks() throws {
        var day = try day()
        _ = day.line(before: morning, now: morning)
        #expect(day.line(before: morning - 48 * hour, now: morning) == nil)
        #expect(day.line(before: .max, now: morning) == nil)
        #expect(day.line(before: 0, now: morning) == nil)
        #expect(try self.day().day(.max).hasSuffix("9999 ──"))
    }
}

extension LocalTime {
    /// Converts by Foundation's calendar, in a time zone.
    init(ms: UInt64, in zone: TimeZone) {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone
        let date = Date(timeIntervalSince1970: Double(min(ms, Self.latestMs) / 1000))
        let parts = calendar.dateComponents([.year, .month, .day, .weekday, .hour, .minute], from: date)
        self.init(
            year: parts.year ?? 0, month: parts.month ?? 1, day: parts.day ?? 1, weekday: (parts.weekday ?? 1) - 1,
            hour: parts.hour ?? 0, minute: parts.minute ?? 0)
    }
}
