import KithWire

/// The channels in memory. Those used lately stay, and those whose head is not written down yet.
///
/// Two generations: what is used moves to the young one; when that is full, the old one goes and the young one becomes
/// old. So a channel survives as long as it is used once per generation, and nothing is sorted or counted on the way.
struct ChannelCache {
    private var young: [ChannelID: CachedChannel] = [:]
    private var old: [ChannelID: CachedChannel] = [:]
    private let generation: Int

    /// Goes up when channels leave. What was read from the file before that may be older than what they wrote.
    private(set) var departures: UInt64 = 0

    /// - Parameter capacity: how many channels to keep, not counting those that have to stay.
    init(capacity: Int) { generation = max(1, capacity / 2) }

    var count: Int { young.count + old.count }

    subscript(id: ChannelID) -> CachedChannel? {
        mutating get {
            if let channel = young[id] { return channel }
            guard let channel = old.removeValue(forKey: id) else { return nil }
            insert(channel)
            return channel
        }
    }

    mutating func insert(_ channel: CachedChannel) {
        if young.count >= generation {
            let leaving = old
            old = young
            young = [:]
            for (id, channel) in leaving where channel.isBehind { old[id] = channel }
            departures += 1
        }
        young[channel.id] = channel
    }

    mutating func remove(_ id: ChannelID) {
        young[id] = nil
        old[id] = nil
        departures += 1
    }
}
