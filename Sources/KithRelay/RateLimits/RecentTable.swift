/// A dictionary of bounded size. A full dictionary forgets its oldest values.
///
/// The values form two generations. When the newer generation is full, the older generation is dropped as a whole, and the
/// newer generation becomes the older generation. Dropping a whole generation costs almost nothing.
struct RecentTable<Key: Hashable, Value> {
    private var newer: [Key: Value] = [:]
    private var older: [Key: Value] = [:]
    private let generation: Int

    /// - Parameter count: maximum number of values. The newest `count / 2` values are always kept.
    init(atMost count: Int) { generation = max(1, count / 2) }

    /// The number of values. A value that is in both generations counts twice.
    var count: Int { newer.count + older.count }

    subscript(key: Key) -> Value? { newer[key] ?? older[key] }

    /// Whether a new value for the key adds an element to the newer generation. The result is `true` even if the older
    /// generation has a value for the key. Each added element makes the table forget old values sooner.
    func takesRoom(_ key: Key) -> Bool { newer[key] == nil }

    mutating func set(_ value: Value, for key: Key) {
        if newer.count >= generation, newer[key] == nil {
            older = newer
            newer = [:]
        }
        newer[key] = value
    }
}
