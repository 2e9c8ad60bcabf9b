import KithWire

/// What channels keep, and for how long.
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

    /// Drops what is out of its retention.
    func expire() async {
        while !isShuttingDown, let expired = try? await store.expire(nowMs: nowMs()), !expired.isEmpty {
            for (channel, _) in expired where channels[channel] != nil { refreshHead(of: channel) }
        }
    }
}
