import KithWire

/// Expiry of old data, and the size limits of channels and of the store.
extension Hub {
    // MARK: Capacity

    /// Drops the oldest entries of a log that exceeds its maximum size. Drops a sixteenth of the log at a time, so that the log
    /// rarely exceeds its maximum size.
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

    /// Reads a channel's head from the store. Called after the store has dropped entries of the channel.
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

    /// Reads the time that the relay noted before this start. Then checks the store's size for the first time.
    ///
    /// - Parameter trustingClock: whether to trust the machine's clock even if the clock is far from the noted time.
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

    /// Notes that a client with an access right uses the channel. If a use was noted recently, does nothing.
    func noteUse(of channel: HubChannel) {
        let now = clock.recordMs
        guard !channel.head.isClosed, now >= channel.head.usedMs + RelayLimits.notedUseMs else { return }
        channel.setUsed(atMs: now)
        let id = channel.id
        withStoreAccess(id) { hub in _ = await hub.commitWithNextRound(.use(channel: id, atMs: now)) }
    }

    /// Drops entries whose retention is over, old key packages, channels that were unused for too long, and names that were not
    /// renewed in time.
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
            // Other rounds can run here.
            await Task.yield()
        }
        await forgetIdleChannels()
        if !isShuttingDown, clock.isNotingDue { await noteClock() }
    }

    /// Deletes expired blobs, and blobs that were not completed in time. After a failure, the next call tries again. Reads the clock,
    /// because an idle relay has no rounds that read it.
    func expireBlobs() async {
        readClock()
        _ = try? await blobs?.store.expire(nowMs: clock.retentionMs)
    }

    /// The time `seconds` ago, in milliseconds since 1970.
    private func past(_ seconds: Int) -> UInt64 {
        clock.retentionMs - min(clock.retentionMs, UInt64(seconds) * 1_000)
    }

    /// Two times, in milliseconds since 1970: `long` applies to channels in long use, `brief` to all other channels. A channel
    /// is forgotten if it has no entries and its last use was before the time that applies to it.
    private struct IdleSince {
        let brief: UInt64
        let long: UInt64
    }

    /// Forgets channels that have no entries and that no client has used for a long time.
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
                // After a failure, the store would return the same channel again.
                guard isDone else { return }
            }
        }
    }

    /// Forgets a channel. If the channel must not be forgotten yet, postpones the deletion to a later check. Returns `false` if
    /// the store fails.
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
        // The channel has a follower, or some of its rows are still to be deleted. So the channel counts as used, and is checked
        // again later.
        let outcome = await commitWithNextRound(.use(channel: id, atMs: before + RelayLimits.notedUseMs))
        return outcome == .committed
    }
}

extension RelayLimits {
    /// Whether the oldest entries of the channel have to be dropped. Always `false` for an inbox: a full inbox refuses new
    /// entries.
    func isExceeded(by head: ChannelHead) -> Bool {
        guard head.kind == .log else { return false }
        return head.lastSeq &+ 1 &- head.firstSeq > UInt64(channelEntries)
            || head.payloadBytes > UInt64(channelBytes)
    }
}
