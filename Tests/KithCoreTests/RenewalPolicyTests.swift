import MLS
import Testing

@testable import KithCore

@Suite("Renewal policy")
struct RenewalPolicyTests {
    private static let hour: UInt64 = 3_600_000
    private static let day = 24 * hour
    /// 2026-11-30.
    private static let now: UInt64 = 1_796_000_000_000

    struct Row: CustomTestStringConvertible {
        let testDescription: String
        /// The age of the keys, in milliseconds; negative if the clock was ahead when they were made.
        let age: Int64
        let entries: Int
        let leaf: UInt32
        let isDue: Bool

        init(_ name: String, age: Int64, entries: Int, leaf: UInt32 = 0, isDue: Bool) {
            testDescription = name
            (self.age, self.entries, self.leaf, self.isDue) = (age, entries, leaf, isDue)
        }
    }

    static let rows: [Row] = {
        let week = Int64(7 * day)
        return [
            Row("no entries", age: 100 * week, entries: 0, isDue: false),
            Row("a moment before 7 days", age: week - 1, entries: 1, isDue: false),
            Row("7 days", age: week, entries: 1, isDue: true),
            Row("the second leaf waits an hour longer", age: week, entries: 1, leaf: 1, isDue: false),
            Row("the second leaf, an hour later", age: week + Int64(hour), entries: 1, leaf: 1, isDue: true),
            Row("leaf 23 waits the longest", age: week + 23 * Int64(hour) - 1, entries: 1, leaf: 23, isDue: false),
            Row("leaf 24 is like the first", age: week, entries: 1, leaf: 24, isDue: true),
            Row("1,000 entries", age: 0, entries: 1_000, isDue: false),
            Row("more than 1,000 entries", age: 0, entries: 1_001, isDue: true),
            Row("leaf 199 waits for 199 entries more", age: 0, entries: 1_199, leaf: 199, isDue: false),
            Row("leaf 199 with 1,200 entries", age: 0, entries: 1_200, leaf: 199, isDue: true),
            Row("a clock that was ahead by a day", age: -Int64(day), entries: 1, isDue: false),
            Row("a clock that was ahead by more than two days", age: -Int64(2 * day) - 1, entries: 1, isDue: true),
        ]
    }()

    @Test("keys are due by their age, the entries since, and the member's leaf", arguments: rows)
    func isDue(row: Row) {
        let policy = RenewalPolicy(wall: Self.now)
        let renewedAt = UInt64(Int64(Self.now) - row.age)
        let leaf = LeafIndex(rawValue: row.leaf)
        #expect(policy.isDue(renewedAt: renewedAt, entriesSince: row.entries, leaf: leaf) == row.isDue)
    }

    @Test("the latest delay covers every leaf")
    func latest() {
        let policy = RenewalPolicy(wall: Self.now)
        #expect(policy.latestDelay(renewedAt: Self.now) == 8 * Self.day)
        #expect(policy.latestDelay(renewedAt: Self.now - 8 * Self.day) == 0)
        #expect(policy.latestDelay(renewedAt: Self.now - 100 * Self.day) == 0)
        #expect(policy.latestDelay(renewedAt: .max) == 0)
    }
}
