/// Counts that would take too long to take: kept in memory, and in the `store` row with every change but an append.
struct StoreTotals: Equatable {
    var channels: UInt64 = 0
    var entries: UInt64 = 0
    var keyPackages: UInt64 = 0
    var names: UInt64 = 0
}
