import KithWire

/// Expiry, and the bounds of what channels and the store keep.
extension Hub {
    // MARK: Capacity

    /// Drops the oldest entries of a log over its size, a sixteenth at a time, so that it happens rarely.
    func trimExcess(of id: ChannelID) {
        withStoreAccess(id) { hub in
            while let channel = hub.channels[id], hub.limits.isExceeded(by: channel.head) {
                let kept = channel.head.lastSeq + 1 - channel.head.firstSeq
                let firstSeq = channel.head.firstSeq + max(1, kept / 16)
                let outcome = await hub.commitWithNextRound(.trim(channel: id, firstSeq: firstSeq))
                guard outcome == .committed, let head = try? await hub.store.head(of: id),
                    head.firstSeq > channel.head.firstSeq
                else { return }
                channel.setHead(head)
            }
        }
    }

    /// Reads a channel's head from the store, after the store dropped some of its entries.
    private func refreshHead(of id: ChannelID) {
        withStoreAccess(id) { hub in
            guard let head = try? await hub.store.head(of: id) else { return }
            hub.channels[id]?.setHead(head)
        }
    }

    /// Updates the fill level of the store.
    func checkSpace() async {
        guard let space = try? await store.space() else { return }
        let limit = limits.storeMiB > 0 ? UInt64(limits.storeMiB) << 20 : limits.share(of: space)
        health.note(usedBytes: space.usedBytes, of: limit)
        metrics.storeUsedBytes.store(Int(clamping: space.usedBytes), ordering: .relaxed)
        metrics.storeLimitBytes.store(Int(clamping: limit), ordering: .relaxed)
        metrics.storeLevel.store(health.level.rawValue, ordering: .relaxed)
    }

    // MARK: Time

    /// Reads the time noted before the start, and checks the store's size for the first time.
    ///
    /// - Parameter trustingClock: whether the machine's clock is right, however far it is from the noted time.
    func begin(trustingClock: Bool) async {
        let noted = try? await store.notedClock()
        clock = HubClock(noted: trustingClock ? nil : noted)
        readClock()
        if trustingClock { await noteClock() }
        await checkSpace()
    }

    func readClock() {
        clock.read(wallMs: nowMs(), uptimeMs: uptimeMs)
        metrics.clockAheadSeconds.store(Int(clamping: clock.aheadMs / 1_000), ordering: .relaxed)
    }

    private func noteClock() async {
        guard let now = clock.unnoted, await commitWithNextRound(.noteClock(now)) == .committed else { return }
        clock.didNote(now)
    }

    // MARK: Expiry

    /// Notes that a client with a right uses a channel, unless that was noted recently.
    func noteUse(of channel: HubChannel) {
        let now = clock.recordMs
        guard !channel.head.isClosed, now >= channel.head.usedMs + RelayLimits.notedUseMs else { return }
        channel.setUsed(atMs: now)
        let id = channel.id
        withStoreAccess(id) { hub in _ = await hub.commitWithNextRound(.use(channel: id, atMs: now)) }
    }

    /// Drops entries past their retention, and channels, key packages and names that were not used or renewed for long.
    func expire() async {
        readClock()
        while !isShuttingDown, let expired = try? await store.expire(nowMs: clock.retentionMs), !expired.isEmpty {
            for (id, _) in expired where channels[id] != nil { refreshHead(of: id) }
        }
        let packages = past(limits.keyPackageSeconds)
        let names = past(2 * limits.nameSeconds)
        while !isShuttingDown,
            let more = try? await store.discard(keyPackagesBeforeMs: packages, namesBeforeMs: names), more
        {
            // Rounds run in between.
            await Task.yield()
        }
        await forgetIdleChannels()
        if !isShuttingDown, clock.isNotingDue { await noteClock() }
    }

    /// The time so many seconds ago, in milliseconds since 1970.
    private func past(_ seconds: Int) -> UInt64 {
        clock.retentionMs - min(clock.retentionMs, UInt64(seconds) * 1_000)
    }

    /// The times before which channels without entries must have been used last to be forgotten.
    private struct IdleSince {
        let brief: UInt64
        /// For channels in long use.
        let long: UInt64
    }

    /// Forgets channels that have no entries and that no client has used for long.
    private func forgetIdleChannels() async {
        let since = IdleSince(
            brief: past(limits.idleChannelSeconds),
            long: past(max(limits.idleChannelSeconds, limits.quietChannelSeconds)))
        while !isShuttingDown,
            let idle = try? await store.idleChannels(usedBeforeMs: since.brief, longUsedBeforeMs: since.long),
            !idle.isEmpty
        {
            for channel in idle {
                let isDone = await withCheckedContinuation { done in
                    withStoreAccess(channel) { hub in done.resume(returning: await hub.forget(channel, since)) }
                }
                // The store would return the same channel again.
                guard isDone else { return }
            }
        }
    }

    /// Returns whether the channel is gone, or was put off.
    private func forget(_ id: ChannelID, _ since: IdleSince) async -> Bool {
        guard let head = try? await store.head(of: id) else { return false }
        let before = head.isInLongUse ? since.long : since.brief
        guard head.usedMs < before else { return true }
        if channels[id]?.hasFollowers != true, !head.hasEntries {
            let outcome = await commitWithNextRound(.forget(channel: id, usedMs: head.usedMs))
            if outcome == .committed {
                if let channel = channels[id] {
                    endFollows(of: channel)
                    channels.remove(channel)
                }
                return true
            }
        }
        // The channel has a follower, or rows that are still to be deleted.
        let outcome = await commitWithNextRound(.use(channel: id, atMs: before + RelayLimits.notedUseMs))
        return outcome == .committed
    }
}

extension RelayLimits {
    /// Whether the oldest entries of a channel have to be dropped. An inbox refuses new ones instead.
    func isExceeded(by head: ChannelHead) -> Bool {
        guard head.kind == .log else { return false }
        return head.lastSeq &+ 1 &- head.firstSeq > UInt64(channelEntries)
            || head.payloadBytes > UInt64(channelBytes)
    }
}
