import KithWire

/// The channels in memory. If there are too many channels or too many entry ids, this type evicts channels or entry ids.
struct LoadedChannels {
    private var channels: [ChannelID: HubChannel] = [:]
    private var evictionQueue = SecondChanceQueue<HubChannel>()
    private let limits: RelayLimits
    private let metrics: RelayMetrics
    /// Number of event loops.
    private let loops: Int

    init(limits: RelayLimits, metrics: RelayMetrics, loops: Int) {
        self.limits = limits
        self.metrics = metrics
        self.loops = loops
    }

    var all: some Collection<HubChannel> { channels.values }

    /// The channel if it is in memory, otherwise `nil`.
    subscript(id: ChannelID) -> HubChannel? { channels[id] }

    /// Marks a channel as used and returns the channel; `nil` if the channel is not in memory.
    func use(_ id: ChannelID) -> HubChannel? {
        guard let channel = channels[id] else { return nil }
        channel.isUsed = true
        return channel
    }

    /// Whether `channel` is still the object that represents its channel in memory.
    func contains(_ channel: HubChannel) -> Bool { channels[channel.id] === channel }

    mutating func insert(_ id: ChannelID, _ head: ChannelHead) -> HubChannel {
        let channel = HubChannel(id: id, head: head, loops: loops, limits: limits)
        channels[id] = channel
        evictionQueue.enter(channel)
        evictionQueue.keepFew(beside: channels.count) { channels[$0.id] === $0 }
        metrics.cachedChannels.store(channels.count, ordering: .relaxed)
        return channel
    }

    mutating func remove(_ channel: HubChannel) {
        changeIDs(of: channel) { $0.forgetIDs() }
        channels[channel.id] = nil
        metrics.cachedChannels.store(channels.count, ordering: .relaxed)
    }

    /// Changes a channel's entry ids. All changes of ids must use this function, which keeps the total count exact.
    @discardableResult
    func changeIDs<R>(of channel: HubChannel, _ change: (HubChannel) -> R) -> R {
        let before = channel.ids?.count ?? 0
        defer { metrics.cachedEntryIDs.count((channel.ids?.count ?? 0) - before) }
        return change(channel)
    }

    // MARK: Eviction

    /// If there are too many channels or entry ids, evicts some idle channels. The cost does not depend on the number of
    /// channels, even if no channel can be evicted. An idle channel with followers stays in memory and loses only its ids. If
    /// there are still too many ids, channels in use also lose ids.
    ///
    /// - Parameters:
    ///   - count: maximum number of channels to examine.
    ///   - now: nanoseconds on a monotonic clock.
    ///   - isBusy: returns whether a channel is busy.
    mutating func evict(examining count: Int, atNanoseconds now: Int64, isBusy: (ChannelID) -> Bool) {
        evictIdle(count, now, isBusy)
        shrinkUsed(count, isBusy)
    }

    private var cachedEntryIDs: Int { metrics.cachedEntryIDs.load(ordering: .relaxed) }

    private mutating func evictIdle(_ count: Int, _ now: Int64, _ isBusy: (ChannelID) -> Bool) {
        // No channel is examined twice: a channel that was used stays at least until the next round has been decided.
        var attempts = min(count, evictionQueue.count)
        while attempts > 0 {
            // Idle channels lose their ids first, because the last eighth of the ids is reserved for channels in use.
            let tooManyIDs = cachedEntryIDs > limits.cachedEntryIDs - limits.cachedEntryIDs / 8
            let tooMany = channels.count > limits.cachedChannels
            guard tooManyIDs || tooMany else { return }
            let idle = evictionQueue.next(&attempts) { channel in
                // A closed channel has already been removed from the table.
                guard channels[channel.id] === channel else { return true }
                defer { channel.isUsed = false }
                guard !channel.isUsed, !isBusy(channel.id), channel.tentative == nil else { return false }
                return tooMany && channel.isEvictable(atNanoseconds: now) || tooManyIDs && channel.ids != nil
            }
            guard let idle else { return }
            guard contains(idle) else { continue }
            if tooMany && idle.isEvictable(atNanoseconds: now) {
                remove(idle)
            } else {
                changeIDs(of: idle) { $0.forgetIDs() }
                evictionQueue.enter(idle)
            }
        }
    }

    /// Removes ids from channels in the order of the eviction queue, even from channels in use.
    private mutating func shrinkUsed(_ count: Int, _ isBusy: (ChannelID) -> Bool) {
        var attempts = min(count, evictionQueue.count)
        while attempts > 0, cachedEntryIDs > limits.cachedEntryIDs {
            let next = evictionQueue.next(&attempts) { channel in
                guard channels[channel.id] === channel else { return true }
                return !isBusy(channel.id) && channel.tentative == nil && channel.ids != nil
            }
            guard let next else { return }
            guard contains(next) else { continue }
            changeIDs(of: next) { $0.shrinkIDs() }
            evictionQueue.enter(next)
        }
    }
}
