import KithWire

/// The writer's channels in memory: recently used channels, and channels whose heads still have to be written.
struct ChannelCache {
    /// The channels by id, spread over several small tables, because the growth of one large table would delay a commit.
    private var tables: [[ChannelID: CachedChannel]] = Array(repeating: [:], count: 64)
    private var evictionQueue = SecondChanceQueue<CachedChannel>()
    private let capacity: Int
    private(set) var count = 0

    /// Number of channels that have been removed so far. If the number changes during a read of the file, the result of the read
    /// may be outdated.
    private(set) var departures: UInt64 = 0

    /// - Parameter capacity: maximum number of channels. Above this number, unused channels are evicted. Channels whose heads
    ///   still have to be written are never evicted.
    init(capacity: Int) { self.capacity = max(1, capacity) }

    subscript(id: ChannelID) -> CachedChannel? {
        guard let channel = tables[ChannelCache.table(of: id)][id] else { return nil }
        channel.isUsed = true
        return channel
    }

    mutating func insert(_ channel: CachedChannel) {
        // Many channels are removed at once, so that removals rarely make concurrent reads start again.
        if count >= capacity { makeRoom(for: max(1, capacity / 4_096)) }
        if tables[ChannelCache.table(of: channel.id)].updateValue(channel, forKey: channel.id) == nil { count += 1 }
        evictionQueue.enter(channel)
        evictionQueue.keepFew(beside: count) { tables[ChannelCache.table(of: $0.id)][$0.id] === $0 }
    }

    mutating func remove(_ id: ChannelID) {
        if tables[ChannelCache.table(of: id)].removeValue(forKey: id) != nil { count -= 1 }
        departures += 1
    }

    private mutating func makeRoom(for wanted: Int) {
        for _ in 0..<wanted {
            let leaving = evictionQueue.next { channel in
                defer { channel.isUsed = false }
                return !channel.isUsed && !channel.isHeadDirty
            }
            // A channel of a failed transaction has already been removed, and another object may have been cached for it since.
            guard let leaving, tables[ChannelCache.table(of: leaving.id)][leaving.id] === leaving else { continue }
            remove(leaving.id)
        }
    }

    private static func table(of id: ChannelID) -> Int { Int(id.firstByte & 63) }
}
