/// Counters that are too expensive to compute on demand. They are kept in memory, and written to the `store` row with
/// every change except an append.
struct StoreTotals: Equatable {
    var channels: UInt64 = 0
    var entries: UInt64 = 0
    var keyPackages: UInt64 = 0
    var names: UInt64 = 0
}
