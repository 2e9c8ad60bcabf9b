/// Counters that are too expensive to compute on demand. They are kept in memory. Every change of the counters, except by an
/// append, also writes them to the row of the table `store`.
struct StoreTotals: Equatable {
    var channels: UInt64 = 0
    var entries: UInt64 = 0
    var keyPackages: UInt64 = 0
    var names: UInt64 = 0
}
