import KithWire

/// The channels in memory, and their eviction when there are too many.
extension Hub {
    /// Takes a channel into memory. It is busy, so it is not the one that has to go for it.
    func insert(_ channel: ChannelID, _ head: ChannelHead) -> HubChannel {
        let state = HubChannel(id: channel, head: head, loops: loops, limits: limits)
        channels[channel] = state
        turns.enter(state)
        turns.keepFew(beside: channels.count) { channels[$0.id] === $0 }
        forgetIdleChannels(asking: RelayLimits.askedForEach)
        metrics.cachedChannels.store(channels.count, ordering: .relaxed)
        return state
    }

    /// Drops a channel from memory.
    func forget(_ channel: HubChannel) {
        changeIDs(of: channel) { $0.forgetIDs() }
        channels[channel.id] = nil
        metrics.cachedChannels.store(channels.count, ordering: .relaxed)
    }

    /// Changes a channel's entry ids. Every change goes through here, so that the count of all of them is exact.
    @discardableResult
    func changeIDs<R>(of channel: HubChannel, _ change: (HubChannel) -> R) -> R {
        let before = channel.ids?.count ?? 0
        defer { metrics.cachedEntryIDs.count((channel.ids?.count ?? 0) - before) }
        return change(channel)
    }

    /// Forgets some channels that have not been used lately, as long as there are too many, or too many entry ids. It costs
    /// the same however many there are, also when none of them may go. A followed channel loses its ids only. If that is not
    /// enough, channels in use give up ids as well.
    func forgetIdleChannels(asking count: Int) {
        forgetIdle(asking: count)
        shrinkUsed(asking: count)
    }

    private var cachedEntryIDs: Int { metrics.cachedEntryIDs.load(ordering: .relaxed) }

    private func forgetIdle(asking count: Int) {
        // None is asked twice: what was used stays at least until the next round has been decided.
        var attempts = min(count, turns.count)
        while attempts > 0 {
            // Before those in use have to: an eighth of the ids is theirs to come.
            let tooManyIDs = cachedEntryIDs > limits.cachedEntryIDs - limits.cachedEntryIDs / 8
            let tooMany = channels.count > limits.cachedChannels
            guard tooManyIDs || tooMany else { return }
            let now = uptime()
            let idle = turns.next(&attempts) { channel in
                // One that was closed has left already.
                guard channels[channel.id] === channel else { return true }
                defer { channel.isUsed = false }
                guard !channel.isUsed, busy[channel.id] == nil, channel.tentative == nil else { return false }
                // An inbox that has given out key packages lately would forget that, and give out as many again.
                let mayLeave = !channel.hasFollowers && channel.withdrawals.isFull(atNanoseconds: now)
                return tooMany && mayLeave || tooManyIDs && channel.ids != nil
            }
            guard let idle else { return }
            guard channels[idle.id] === idle else { continue }
            if tooMany && !idle.hasFollowers && idle.withdrawals.isFull(atNanoseconds: now) {
                forget(idle)
            } else {
                changeIDs(of: idle) { $0.forgetIDs() }
                turns.enter(idle)
            }
        }
    }

    /// Takes ids from channels in the order of their turns, whether they are in use or not.
    private func shrinkUsed(asking count: Int) {
        var attempts = min(count, turns.count)
        while attempts > 0, cachedEntryIDs > limits.cachedEntryIDs {
            let next = turns.next(&attempts) { channel in
                guard channels[channel.id] === channel else { return true }
                return busy[channel.id] == nil && channel.tentative == nil && channel.ids != nil
            }
            guard let next else { return }
            guard channels[next.id] === next else { continue }
            changeIDs(of: next) { $0.shrinkIDs() }
            turns.enter(next)
        }
    }
}
