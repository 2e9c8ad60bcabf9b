/// Counters that are too expensive to compute on demand. The counters are kept in memory. An append changes the counters only in
/// memory. Every other change of the counters is also written to the row of the table `store`.
struct StoreTotals: Equatable {
    var channels: UInt64 = 0
    var entries: UInt64 = 0
    var keyPackages: UInt64 = 0
    var names: UInt64 = 0
}
