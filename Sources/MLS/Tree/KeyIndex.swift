/// The keys in a tree. The index finds duplicates without a search through the tree (RFC 9420 §7.3, §12.4.2, §12.4.3.1).
///
/// The index stores 64-bit fingerprints of keys. A fingerprint depends on the process's random hash seed. Attackers do not know
/// the seed, so they cannot choose keys with equal fingerprints. The index consists of pieces. Copies of the index share
/// unchanged pieces.
struct KeyIndex: Sendable {
    private var shards: [[UInt64]] = [[]]
    private var count = 0

    private static func fingerprint(_ key: ShortBytes) -> UInt64 {
        var hasher = Hasher()
        key.withUnsafeBytes { hasher.combine(bytes: $0) }
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }

    private func shard(_ fingerprint: UInt64) -> Int { Int(truncatingIfNeeded: fingerprint) & (shards.count - 1) }

    func contains(_ key: ShortBytes) -> Bool {
        let fingerprint = Self.fingerprint(key)
        return shards[shard(fingerprint)].contains(fingerprint)
    }

    /// Adds a key. Returns `true` if the key is new in the index.
    @discardableResult
    mutating func insert(_ key: ShortBytes) -> Bool {
        let fingerprint = Self.fingerprint(key)
        let isNew = !shards[shard(fingerprint)].contains(fingerprint)
        if count >= shards.count * 32 { split() }
        shards[shard(fingerprint)].append(fingerprint)
        count += 1
        return isNew
    }

    /// Removes one occurrence of a key.
    mutating func remove(_ key: ShortBytes) {
        let fingerprint = Self.fingerprint(key)
        let shard = shard(fingerprint)
        guard let index = shards[shard].firstIndex(of: fingerprint) else { return }
        shards[shard].swapAt(index, shards[shard].count - 1)
        shards[shard].removeLast()
        count -= 1
    }

    private mutating func split() {
        let old = shards
        shards = Array(repeating: [], count: old.count * 2)
        for fingerprints in old {
            for fingerprint in fingerprints { shards[shard(fingerprint)].append(fingerprint) }
        }
    }
}
