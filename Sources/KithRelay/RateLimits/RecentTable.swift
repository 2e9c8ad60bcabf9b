/// A dictionary of bounded size. When it is full, it forgets its oldest values.
///
/// Values are stored in two generations, so that old values can be deleted at no cost. When the newer generation is full, it
/// becomes the older one, and the previous older one is dropped.
struct RecentTable<Key: Hashable, Value> {
    private var newer: [Key: Value] = [:]
    private var older: [Key: Value] = [:]
    private let generation: Int

    /// - Parameter count: maximum number of values. The newest `count / 2` values are always kept.
    init(atMost count: Int) { generation = max(1, count / 2) }

    /// The number of values. A value that is in both generations counts twice.
    var count: Int { newer.count + older.count }

    subscript(key: Key) -> Value? { newer[key] ?? older[key] }

    /// Whether a new value for the key takes room in the newer generation, so that other values are forgotten sooner. This is
    /// also the case if the key's value is in the older generation only.
    func takesRoom(_ key: Key) -> Bool { newer[key] == nil }

    mutating func set(_ value: Value, for key: Key) {
        if newer.count >= generation, newer[key] == nil {
            older = newer
            newer = [:]
        }
        newer[key] = value
    }
}
