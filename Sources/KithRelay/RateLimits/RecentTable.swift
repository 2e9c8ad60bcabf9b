/// A dictionary of bounded size, which forgets the values that were set longest ago.
///
/// Two generations, so that forgetting costs nothing: when the newer one is full, it takes the place of the older one.
struct RecentTable<Key: Hashable, Value> {
    private var newer: [Key: Value] = [:]
    private var older: [Key: Value] = [:]
    private let generation: Int

    /// - Parameter count: how many values are kept at most. The last half of them is always there.
    init(atMost count: Int) { generation = max(1, count / 2) }

    /// The number of values kept. One that was set in both generations counts twice.
    var count: Int { newer.count + older.count }

    subscript(key: Key) -> Value? { newer[key] ?? older[key] }

    /// Whether setting a value for the key brings the forgetting of others nearer. Also true for a key of the older generation.
    func takesRoom(_ key: Key) -> Bool { newer[key] == nil }

    mutating func set(_ value: Value, for key: Key) {
        if newer.count >= generation, newer[key] == nil {
            older = newer
            newer = [:]
        }
        newer[key] = value
    }
}
