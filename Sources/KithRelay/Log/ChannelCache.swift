import KithWire

/// The channels in memory. Those used lately stay, and those whose head is not written down yet.
struct ChannelCache {
    /// Several tables, so that none is so large that a commit has to wait until it has grown.
    private var tables: [[ChannelID: CachedChannel]] = Array(repeating: [:], count: 64)
    private var evictionQueue = SecondChanceQueue<CachedChannel>()
    private let capacity: Int
    private(set) var count = 0

    /// Goes up when channels leave. What was read from the file before that may be older than what they wrote.
    private(set) var departures: UInt64 = 0

    /// - Parameter capacity: how many channels to keep, not counting those that have to stay.
    init(capacity: Int) { self.capacity = max(1, capacity) }

    subscript(id: ChannelID) -> CachedChannel? {
        guard let channel = tables[ChannelCache.table(of: id)][id] else { return nil }
        channel.isUsed = true
        return channel
    }

    mutating func insert(_ channel: CachedChannel) {
        // Many at a time, so that reads beside are seldom invalid.
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
            // One that was taken back has left already, and may have come again as another object.
            guard let leaving, tables[ChannelCache.table(of: leaving.id)][leaving.id] === leaving else { continue }
            remove(leaving.id)
        }
    }

    private static func table(of id: ChannelID) -> Int { Int(id.firstByte & 63) }
}
