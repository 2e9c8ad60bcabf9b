/// A dictionary of bounded size. It forgets the values that were set first.
///
/// Values are stored in two generations, so that old values can be deleted at no cost. When the newer generation is full, it
/// becomes the older one, and the previous older one is dropped.
struct RecentTable<Key: Hashable, Value> {
    private var newer: [Key: Value] = [:]
    private var older: [Key: Value] = [:]
    private let generation: Int

    /// - Parameter count: maximum number of values. At least the newest half of this number is always kept.
    init(atMost count: Int) { generation = max(1, count / 2) }

    /// The number of values. A value that is in both generations counts twice.
    var count: Int { newer.count + older.count }

    subscript(key: Key) -> Value? { newer[key] ?? older[key] }

    /// Whether other values are forgotten sooner if a value is set for the key. Also `true` for a key of the older generation.
    func takesRoom(_ key: Key) -> Bool { newer[key] == nil }

    mutating func set(_ value: Value, for key: Key) {
        if newer.count >= generation, newer[key] == nil {
            older = newer
            newer = [:]
        }
        newer[key] = value
    }
}
