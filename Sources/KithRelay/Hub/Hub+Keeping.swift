import KithWire

/// Expiry and budgets of what channels keep.
extension Hub {
    // MARK: Capacity

    /// Whether the front of a channel has to go. An inbox refuses instead.
    func overCapacity(_ head: ChannelHead) -> Bool {
        guard head.kind == .log else { return false }
        return head.lastSeq &+ 1 &- head.firstSeq > UInt64(limits.channelEntries)
            || head.payloadBytes > UInt64(limits.channelBytes)
    }

    /// Drops the front of a log that is over its size, a sixteenth at a time, so that it happens rarely.
    func trim(_ channel: ChannelID) {
        slowly(channel) { hub in
            while let state = hub.channels[channel], hub.overCapacity(state.head) {
                let kept = state.head.lastSeq + 1 - state.head.firstSeq
                let firstSeq = state.head.firstSeq + max(1, kept / 16)
                let outcome = await hub.commitWithNextRound(.trim(channel: channel, firstSeq: firstSeq))
                guard outcome == .committed, let head = try? await hub.store.head(of: channel),
                    head.firstSeq > state.head.firstSeq
                else { return }
                state.setHead(head)
            }
        }
    }

    /// Takes over what the store says a channel has, after the store dropped some of it.
    private func refreshHead(of channel: ChannelID) {
        slowly(channel) { hub in
            guard let head = try? await hub.store.head(of: channel) else { return }
            hub.channels[channel]?.setHead(head)
        }
    }

    // MARK: Room

    /// Looks how full the store is.
    func lookAtSpace() async {
        guard let space = try? await store.space() else { return }
        let limit = limits.storeMiB > 0 ? UInt64(limits.storeMiB) << 20 : limits.share(of: space)
        level = StoreLevel(usedBytes: space.usedBytes, of: limit)
        metrics.storeUsedBytes.store(Int(clamping: space.usedBytes), ordering: .relaxed)
        metrics.storeLimitBytes.store(Int(clamping: limit), ordering: .relaxed)
        metrics.storeLevel.store(level.rawValue, ordering: .relaxed)
    }

    /// Why a channel does not take an entry while the store is nearly full.
    func refusal(ofEntryIn head: ChannelHead) -> RelayError? {
        // A letter is something new, however old the inbox: its sender is told, and tries again.
        let isLate = head.kind == .inbox || keptMs < head.createdMs + RelayLimits.lateChannelMs
        return level == .full || level == .noLate && isLate ? .storeIsFull : nil
    }

    // MARK: Time

    /// Takes over what was noted before the start, and looks at the store for the first time.
    ///
    /// - Parameter trustingClock: whether the machine's clock is right, however far it is from what was noted.
    func begin(trustingClock: Bool) async {
        let noted = try? await store.notedClock()
        clock = KeepingClock(noted: trustingClock ? nil : noted)
        readClock()
        if trustingClock { await noteClock() }
        await lookAtSpace()
    }

    func readClock() {
        let wallMs = nowMs()
        keptMs = clock.now(wallMs: wallMs, uptimeMs: uptimeMs)
        datingMs = max(keptMs, wallMs)
        metrics.clockAheadSeconds.store(Int(clamping: clock.aheadMs / 1_000), ordering: .relaxed)
    }

    /// Notes that somebody with a right uses a channel, if that was not noted lately.
    func noteUse(of state: HubChannel) {
        let now = datingMs
        guard !state.head.isClosed, now >= state.head.usedMs + RelayLimits.notedUseMs else { return }
        state.setUsed(atMs: now)
        let channel = state.id
        slowly(channel) { hub in _ = await hub.commitWithNextRound(.use(channel: channel, atMs: now)) }
    }

    /// Drops what is out of its retention, and what nobody has used or renewed for long.
    func expire() async {
        readClock()
        while !isShuttingDown, let expired = try? await store.expire(nowMs: keptMs), !expired.isEmpty {
            for (channel, _) in expired where channels[channel] != nil { refreshHead(of: channel) }
        }
        let packages = keptMs - min(keptMs, UInt64(limits.keyPackageSeconds) * 1_000)
        let names = keptMs - min(keptMs, 2 * UInt64(limits.nameSeconds) * 1_000)
        while !isShuttingDown,
            let more = try? await store.discard(keyPackagesBeforeMs: packages, namesBeforeMs: names), more
        {
            // Rounds have their turn in between.
            await Task.yield()
        }
        await forgetUnused()
        // While the clock is doubted, each minute of running counts.
        let isDue = keptMs >= notedMs + RelayLimits.notedClockMs || keptMs < notedMs || clock.noted?.doubt != nil
        if !isShuttingDown, isDue { await noteClock() }
    }

    private func noteClock() async {
        guard let now = clock.noted, await commitWithNextRound(.noteClock(now)) == .committed else { return }
        notedMs = now.timeMs
    }

    /// Forgets channels that have nothing in them and that nobody has used for long.
    private func forgetUnused() async {
        func past(_ seconds: Int) -> UInt64 { keptMs - min(keptMs, UInt64(seconds) * 1_000) }
        let brief = past(limits.idleChannelSeconds)
        let long = past(max(limits.idleChannelSeconds, limits.quietChannelSeconds))
        while !isShuttingDown,
            let idle = try? await store.idleChannels(usedBeforeMs: brief, longUsedBeforeMs: long), !idle.isEmpty
        {
            for channel in idle {
                let isDone = await withCheckedContinuation { done in
                    slowly(channel) { hub in done.resume(returning: await hub.forgetUnused(channel, brief, long)) }
                }
                // It would be found again.
                guard isDone else { return }
            }
        }
    }

    /// Returns whether the channel is gone, or is looked at later.
    private func forgetUnused(_ channel: ChannelID, _ brief: UInt64, _ long: UInt64) async -> Bool {
        guard let head = try? await store.head(of: channel) else { return false }
        let before = head.isInLongUse ? long : brief
        guard head.usedMs < before else { return true }
        if channels[channel]?.hasFollowers != true, !head.hasEntries {
            let outcome = await commitWithNextRound(.forget(channel: channel, usedMs: head.usedMs))
            if outcome == .committed {
                if let state = channels[channel] {
                    endFollows(of: state)
                    forget(state)
                }
                return true
            }
        }
        // Somebody listens, or something of it is still to be deleted.
        let outcome = await commitWithNextRound(.use(channel: channel, atMs: before + RelayLimits.notedUseMs))
        return outcome == .committed
    }
}

extension RelayError {
    static let storeIsFull = RelayError(
        .full, "the relay has no room for more", retryAfterMs: RelayLimits.fullStoreRetryMs)

    /// The answer to a client for a store's failure. The store's own words stay with the relay.
    init(_ failure: StoreFailure) {
        switch failure {
        case .full: self.init(.full, "the relay's disk is full", retryAfterMs: 60_000)
        case .io, .damaged: self.init(.unavailable, "the relay could not store it", retryAfterMs: 5_000)
        }
    }
}
