/// A dictionary of bounded size that forgets the values set longest ago.
///
/// Values are kept in two generations, so that forgetting costs nothing: when the newer generation is full, it replaces
/// the older one.
struct RecentTable<Key: Hashable, Value> {
    private var newer: [Key: Value] = [:]
    private var older: [Key: Value] = [:]
    private let generation: Int

    /// - Parameter count: number of values kept at most. The newest half of them is always kept.
    init(atMost count: Int) { generation = max(1, count / 2) }

    /// The number of values. One that was set in both generations counts twice.
    var count: Int { newer.count + older.count }

    subscript(key: Key) -> Value? { newer[key] ?? older[key] }

    /// Whether setting a value for the key makes the table forget others sooner. Also true for a key of the older
    /// generation.
    func takesRoom(_ key: Key) -> Bool { newer[key] == nil }

    mutating func set(_ value: Value, for key: Key) {
        if newer.count >= generation, newer[key] == nil {
            older = newer
            newer = [:]
        }
        newer[key] = value
    }
}
