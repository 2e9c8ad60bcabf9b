import Testing

@testable import KithRelay

@Suite("Tables of recent values")
struct RecentTableTests {
    @Test("a table of recent values is bounded, and keeps the newest half")
    func recentTable() {
        var table = RecentTable<Int, Int>(atMost: 20)
        for number in 0..<1_000 {
            table.set(number, for: number % 300)
            #expect(table.count <= 20)
            for recent in max(0, number - 9)...number { #expect(table[recent % 300] == recent) }
        }
    }
}
